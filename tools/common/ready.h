/* SPDX-License-Identifier: GPL-2.0 */
/* Whoever has started us and wants to know (systemd, Type=notify) is told when we do what we are for. */
#ifndef KVMSCHED_READY_H
#define KVMSCHED_READY_H

/*
 * By a datagram to the socket that NOTIFY_SOCKET in the environment names: sd_notify(3), "Notes". Without one nothing
 * is done. What we start later does not see it.
 */
void ready_tell(void);

#endif /* KVMSCHED_READY_H */
