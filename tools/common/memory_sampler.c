// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli.h"
#include "memory_sampler.h"
#include "now.h"
#include "record.h"
#include "topology.h"
#include "vmmem.h"

#define VMS 1024u /* at a time; more are not sampled */
#define NS 1000000000ULL

struct memory {
	pthread_t thread;
	pthread_mutex_t lock; /* of all below */
	pthread_cond_t wake;
	uint64_t interval, due;
	unsigned int nodes;
	uint32_t tgid[VMS];
	unsigned int nvms, sampled; /* the first `sampled` had their first sample */
	struct ks_rec *rec;	    /* not written yet */
	size_t nrec, cap;
	bool started, stop, full;
};

/* ---- one sample ---- */

static bool room(struct memory *m, size_t more)
{
	struct ks_rec *rec;

	if (m->nrec + more <= m->cap)
		return true;
	rec = realloc(m->rec, (m->cap * 2 + more) * sizeof(*rec));
	if (!rec)
		return false;
	m->rec = rec;
	m->cap = m->cap * 2 + more;
	return true;
}

/* Every host node is named, those with nothing, too: only then a later sample replaces an earlier. */
static void keep(struct memory *m, uint32_t tgid, uint64_t time, const struct ks_vmmem_sample *s)
{
	unsigned int g, h;

	if (!room(m, (KS_VMMEM_NODES + 1) * m->nodes))
		return;
	for (g = 0; g <= KS_VMMEM_NODES; g++) {
		uint64_t sum = 0;

		for (h = 0; h < m->nodes; h++)
			sum += s->bytes[g][h];
		for (h = 0; h < m->nodes && sum; h++)
			m->rec[m->nrec++] = (struct ks_rec){
				.time = time,
				.type = KS_VM_MEMORY,
				.cpu = h,
				.id = tgid,
				.a = s->bytes[g][h],
				.b = g == KS_VMMEM_UNKNOWN ? 0 : g + 1,
			};
	}
}

/* Called and returns with the lock held; lets go of it while the kernel is asked. False: that process is no more. */
static bool sample(struct memory *m, uint32_t tgid)
{
	struct ks_vmmem_sample *s = malloc(sizeof(*s));
	struct ks_vmmem vm;
	uint64_t time;
	int err;

	if (!s)
		return true;
	pthread_mutex_unlock(&m->lock);
	err = ks_vmmem_init(&vm, NULL, tgid);
	if (!err)
		err = ks_vmmem_look(&vm, NULL, s);
	time = ks_now_ns();
	pthread_mutex_lock(&m->lock);
	if (!err)
		keep(m, tgid, time, s);
	free(s);
	return err != -ESRCH;
}

static void sample_from(struct memory *m, unsigned int first)
{
	unsigned int i = first;

	while (i < m->nvms) {
		if (sample(m, m->tgid[i]))
			i++;
		else /* its number may be another process' soon */
			m->tgid[i] = m->tgid[--m->nvms];
	}
	m->sampled = i;
}

/* ---- the thread ---- */

static void wait_until(struct memory *m, uint64_t due)
{
	struct timespec ts = { due / NS, due % NS };

	pthread_cond_timedwait(&m->wake, &m->lock, &ts);
}

static void *work(void *arg)
{
	struct memory *m = arg;

	pthread_mutex_lock(&m->lock);
	while (!m->stop) {
		if (ks_now_ns() >= m->due) {
			m->due = ks_now_ns() + m->interval;
			sample_from(m, 0);
		} else if (m->sampled < m->nvms) {
			sample_from(m, m->sampled);
		} else {
			wait_until(m, m->due);
		}
	}
	pthread_mutex_unlock(&m->lock);
	return NULL;
}

/* Signals are the recorder's. */
static int start(struct memory *m)
{
	sigset_t all, before;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	err = pthread_create(&m->thread, NULL, work, m);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	m->started = !err;
	return -err;
}

static void init_locks(struct memory *m)
{
	pthread_condattr_t attr;

	pthread_mutex_init(&m->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&m->wake, &attr);
	pthread_condattr_destroy(&attr);
}

int memory_new(struct memory **out, uint64_t interval_ns)
{
	struct memory *m = calloc(1, sizeof(*m));
	struct ks_numa *numa;
	int err;

	if (!m)
		return -ENOMEM;
	init_locks(m);
	m->interval = interval_ns;
	m->due = ks_now_ns() + interval_ns;
	err = ks_numa_new(&numa, NULL);
	if (!err) {
		m->nodes = ks_numa_nodes(numa);
		if (m->nodes > KS_VMMEM_NODES)
			m->nodes = KS_VMMEM_NODES;
		ks_numa_free(numa);
		err = start(m);
	}
	if (err) {
		memory_free(m);
		return err;
	}
	*out = m;
	return 0;
}

static void stop(struct memory *m)
{
	if (!m->started)
		return;
	pthread_mutex_lock(&m->lock);
	m->stop = true;
	pthread_cond_signal(&m->wake);
	pthread_mutex_unlock(&m->lock);
	pthread_join(m->thread, NULL);
	m->started = false;
}

void memory_free(struct memory *m)
{
	if (!m)
		return;
	stop(m);
	pthread_cond_destroy(&m->wake);
	pthread_mutex_destroy(&m->lock);
	free(m->rec);
	free(m);
}

void memory_vm(struct memory *m, uint32_t tgid)
{
	unsigned int i;

	pthread_mutex_lock(&m->lock);
	for (i = 0; i < m->nvms && m->tgid[i] != tgid; i++)
		;
	if (i == VMS && !m->full)
		cli_warn("memory: of more than %u VMs at a time the further ones are left out",
			 VMS);
	m->full |= i == VMS;
	if (i == m->nvms && i < VMS) {
		m->tgid[m->nvms++] = tgid;
		pthread_cond_signal(&m->wake);
	}
	pthread_mutex_unlock(&m->lock);
}

int memory_write(struct memory *m, struct ks_writer *w, bool last)
{
	int err;

	if (last)
		stop(m);
	pthread_mutex_lock(&m->lock);
	if (last)
		sample_from(m, 0);
	err = ks_writer_add(w, MEMORY_RING, m->rec, m->nrec);
	m->nrec = 0;
	pthread_mutex_unlock(&m->lock);
	return err;
}
