const rotations = [13, 15, 26, 6, 17, 29, 16, 24]

/** Word 0 of Threefry-2x32-20 of the counter (n, 0). */
export function threefry(k0: number, k1: number, n: number): number {
  const keys = [k0 | 0, k1 | 0, k0 ^ k1 ^ 0x1bd11bda]
  let a = (n + k0) | 0
  let b = k1 | 0
  for (let r = 0; r < 20; r++) {
    a = (a + b) | 0
    const by = rotations[r % 8] as number
    b = ((b << by) | (b >>> (32 - by))) ^ a
    if (r % 4 === 3) {
      const i = (r + 1) / 4
      a = (a + (keys[i % 3] as number)) | 0
      b = (b + (keys[(i + 1) % 3] as number) + i) | 0
    }
  }
  return a >>> 0
}
