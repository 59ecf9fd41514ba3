/**
 * A value above the size of one binding lies in several buffers, its pages: all of one size, a power of two, except the
 * last. Smaller values lie in one buffer, whatever its size.
 */
export const pageBytes = (bindingBytes: number): number => 2 ** Math.floor(Math.log2(bindingBytes))

/** Buffers that a value of this size takes. */
export const pageCount = (bytes: number, bindingBytes: number): number =>
  bytes <= bindingBytes ? 1 : Math.ceil(bytes / pageBytes(bindingBytes))

/** Elements of any dtype are reached by an i32. */
export const mostElements = 2 ** 31 - 1
