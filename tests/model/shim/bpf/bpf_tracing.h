/* SPDX-License-Identifier: GPL-2.0 */
#ifndef MODEL_BPF_TRACING_H
#define MODEL_BPF_TRACING_H

#define BPF_PROG(name, ...) name(__VA_ARGS__)

#endif /* MODEL_BPF_TRACING_H */
