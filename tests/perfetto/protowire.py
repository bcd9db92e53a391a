# SPDX-License-Identifier: GPL-2.0
"""The wire format of protocol buffers, as far as descriptors and Perfetto's traces need it."""


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def fields(data):
    """Numbers and values of a message's fields, in order; a value is a number or bytes."""
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        kind = key & 7
        if kind == 0:
            value, at = varint(data, at)
        elif kind in (1, 2, 5):
            size = {1: 8, 5: 4}.get(kind)
            if size is None:
                size, at = varint(data, at)
            value = data[at:at + size]
            if len(value) != size:
                raise ValueError("cut off")
            at += size
        else:
            raise ValueError(f"wire type {kind}")
        yield key >> 3, value


def every(data, number):
    return [value for n, value in fields(data) if n == number]


def one(data, number, default=None):
    values = every(data, number)
    return values[-1] if values else default


def text(data, number):
    return one(data, number, b"").decode()


def encode_varint(n):
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def encode(message):
    """Numbers and values of fields back to bytes. What fields() gave as 8 bytes is a string of that
    length again, except for the numbers of a track event's flows."""
    out = b""
    for number, value in message:
        if isinstance(value, int):
            out += encode_varint(number << 3) + encode_varint(value)
        elif number in (47, 48) and len(value) == 8:
            out += encode_varint(number << 3 | 1) + value
        else:
            out += encode_varint(number << 3 | 2) + encode_varint(len(value)) + value
    return out
