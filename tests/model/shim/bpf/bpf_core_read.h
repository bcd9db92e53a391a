/* SPDX-License-Identifier: GPL-2.0 */
/* The newest kernel's answers. */
#ifndef MODEL_BPF_CORE_READ_H
#define MODEL_BPF_CORE_READ_H

#include <bpf/bpf_helpers.h>

#define bpf_core_enum_value(type, name) ((u64)(name))
#define bpf_core_enum_value_exists(type, name) (1)
bool model_has_field(const char *which);
#define bpf_core_field_exists(...) model_has_field(#__VA_ARGS__)
#define BPF_CORE_READ(p, member) ((p)->member)
#define bpf_core_field_offset(type, field) offsetof(type, field)
#define bpf_core_type_id_kernel(type) (0)

#endif /* MODEL_BPF_CORE_READ_H */
