// SPDX-License-Identifier: GPL-2.0
#include "image.h"

#include <bpf/btf.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Offsets in the setup header of a bzImage. */
enum {
	BOOT_SETUP_SECTS = 0x1f1,
	BOOT_MAGIC = 0x202,
	BOOT_PROTOCOL = 0x206,
	BOOT_KERNEL_VERSION = 0x20e,
	BOOT_PAYLOAD_OFFSET = 0x248,
	BOOT_PAYLOAD_LENGTH = 0x24c,
	BOOT_HEADER_END = 0x250,
	BOOT_SECTOR = 512,
	BOOT_PROTOCOL_PAYLOAD = 0x208,
};

/* A compressed module in a compressed image would be two; more is nonsense. */
#define MAX_LAYERS 4

struct blob {
	unsigned char *data;
	size_t size;
};

struct packer {
	const char *magic;
	size_t magic_size;
	const char *program;
	bool sized; /* the kernel's build appends the unpacked size (4 bytes) to the payload */
};

static const struct packer packers[] = {
	{ "\x1f\x8b", 2, "gzip", false },
	{ "\xfd"
	  "7zXZ",
	  6, "xz", true },
	{ "\x28\xb5\x2f\xfd", 4, "zstd", true },
	{ "\x02\x21\x4c\x18", 4, "lz4", true },
	{ "\x04\x22\x4d\x18", 4, "lz4", true },
};

static int read_all(int fd, struct blob *blob)
{
	struct stat st;
	ssize_t got;

	*blob = (struct blob){};
	if (fstat(fd, &st))
		return -errno;
	blob->data = malloc(st.st_size + 1);
	if (!blob->data)
		return -ENOMEM;
	while (blob->size < (size_t)st.st_size) {
		got = pread(fd, blob->data + blob->size, st.st_size - blob->size, blob->size);
		if (got <= 0) {
			int err = got ? -errno : -EIO;

			free(blob->data);
			return err;
		}
		blob->size += got;
	}
	return 0;
}

static int read_path(const char *path, struct blob *blob)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), err;

	if (fd < 0)
		return -errno;
	err = read_all(fd, blob);
	close(fd);
	return err;
}

static int temp_file(void)
{
	char path[] = "/tmp/vmlinux-gen.XXXXXX";
	int fd = mkostemp(path, O_CLOEXEC);

	if (fd < 0)
		return -errno;
	unlink(path);
	return fd;
}

static int write_all(int fd, const unsigned char *data, size_t size)
{
	ssize_t put;

	for (; size; data += put, size -= put) {
		put = write(fd, data, size);
		if (put < 0)
			return -errno;
	}
	return lseek(fd, 0, SEEK_SET) < 0 ? -errno : 0;
}

static int run_unpacker(const char *program, int in, int out)
{
	char *argv[] = { (char *)program, (char *)"-dc", NULL };
	posix_spawn_file_actions_t files;
	extern char **environ;
	int err, status;
	pid_t pid;

	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, in, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
	err = posix_spawnp(&pid, program, &files, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&files);
	if (err)
		return -err;
	if (waitpid(pid, &status, 0) < 0)
		return -errno;
	return WIFEXITED(status) && !WEXITSTATUS(status) ? 0 : -EIO;
}

/* Through files, so that neither side can block on a full pipe. */
static int unpack(const char *program, const unsigned char *data, size_t size, struct blob *out)
{
	int from = temp_file(), to = temp_file(), err;

	err = from < 0 ? from : to < 0 ? to : write_all(from, data, size);
	if (!err)
		err = run_unpacker(program, from, to);
	if (!err)
		err = read_all(to, out);
	if (from >= 0)
		close(from);
	if (to >= 0)
		close(to);
	return err;
}

static const struct packer *packer_of(const unsigned char *data, size_t size)
{
	size_t i;

	for (i = 0; i < sizeof(packers) / sizeof(*packers); i++)
		if (size > packers[i].magic_size &&
		    !memcmp(data, packers[i].magic, packers[i].magic_size))
			return &packers[i];
	return NULL;
}

static __u32 get_u32(const struct blob *blob, size_t off)
{
	const unsigned char *p = blob->data + off;

	return p[0] | p[1] << 8 | p[2] << 16 | (__u32)p[3] << 24;
}

static __u32 get_u16(const struct blob *blob, size_t off)
{
	return blob->data[off] | blob->data[off + 1] << 8;
}

static bool is_bzimage(const struct blob *blob)
{
	return blob->size > BOOT_HEADER_END && !memcmp(blob->data + BOOT_MAGIC, "HdrS", 4) &&
	       get_u16(blob, BOOT_PROTOCOL) >= BOOT_PROTOCOL_PAYLOAD;
}

/* The kernel proper inside a bzImage. */
static int unpack_payload(const struct blob *blob, struct blob *out)
{
	size_t sects = blob->data[BOOT_SETUP_SECTS] ? blob->data[BOOT_SETUP_SECTS] : 4;
	size_t start = (sects + 1) * BOOT_SECTOR + get_u32(blob, BOOT_PAYLOAD_OFFSET);
	size_t size = get_u32(blob, BOOT_PAYLOAD_LENGTH);
	const struct packer *packer;

	if (start > blob->size || size > blob->size - start || size < 8)
		return -ENOEXEC;
	packer = packer_of(blob->data + start, size);
	if (!packer)
		return -ENOEXEC;
	return unpack(packer->program, blob->data + start, packer->sized ? size - 4 : size, out);
}

/* Take off one layer; 1 if there was one, 0 if not, or -errno. */
static int peel(struct blob *blob)
{
	const struct packer *packer = packer_of(blob->data, blob->size);
	struct blob inner;
	int err;

	if (packer)
		err = unpack(packer->program, blob->data, blob->size, &inner);
	else if (is_bzimage(blob))
		err = unpack_payload(blob, &inner);
	else
		return 0;
	if (err)
		return err;
	free(blob->data);
	*blob = inner;
	return 1;
}

static Elf_Data *find_btf_section(Elf *elf)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr shdr;
	size_t names;
	const char *name;

	if (elf_getshdrstrndx(elf, &names))
		return NULL;
	while ((scn = elf_nextscn(elf, scn))) {
		if (!gelf_getshdr(scn, &shdr))
			continue;
		name = elf_strptr(elf, names, shdr.sh_name);
		if (name && !strcmp(name, BTF_ELF_SEC))
			return elf_rawdata(scn, NULL);
	}
	return NULL;
}

static int new_btf(const void *data, size_t size, struct btf *base, struct btf **out)
{
	*out = btf__new_split(data, size, base);
	return *out ? 0 : -errno;
}

static int btf_of_elf(const struct blob *blob, struct btf *base, struct btf **out)
{
	Elf_Data *data;
	Elf *elf;
	int err;

	elf_version(EV_CURRENT);
	elf = elf_memory((char *)blob->data, blob->size);
	if (!elf)
		return -ENOEXEC;
	data = find_btf_section(elf);
	err = data && data->d_buf ? new_btf(data->d_buf, data->d_size, base, out) : -ENODATA;
	elf_end(elf);
	return err;
}

int vg_image_btf(const char *path, struct btf *base, struct btf **out)
{
	struct blob blob;
	int err, layers;

	*out = NULL;
	err = read_path(path, &blob);
	if (err)
		return err;
	for (layers = 0; layers < MAX_LAYERS && (err = peel(&blob)) > 0; layers++)
		;
	if (err < 0)
		goto out;
	if (blob.size >= 4 && !memcmp(blob.data, "\177ELF", 4))
		err = btf_of_elf(&blob, base, out);
	else if (blob.size >= 2 && get_u16(&blob, 0) == BTF_MAGIC)
		err = new_btf(blob.data, blob.size, base, out);
	else
		err = -ENOEXEC;
out:
	free(blob.data);
	return err;
}

int vg_image_version(const char *path, char **version)
{
	struct blob blob;
	size_t start;
	int err;

	*version = NULL;
	err = read_path(path, &blob);
	if (err)
		return err;
	err = -ENOEXEC;
	if (is_bzimage(&blob)) {
		start = get_u16(&blob, BOOT_KERNEL_VERSION) + BOOT_SECTOR;
		if (start < blob.size)
			*version = strndup((char *)blob.data + start, blob.size - start);
		err = *version ? 0 : -ENOEXEC;
	}
	free(blob.data);
	return err;
}
