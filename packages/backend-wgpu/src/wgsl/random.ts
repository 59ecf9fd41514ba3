import type { Snippets } from './snippet.ts'

const rotations = [13, 15, 26, 6, 17, 29, 16, 24] as const

function rounds(): string {
  const lines: string[] = []
  for (let round = 0; round < 20; round++) {
    const by = rotations[round % 8] as number
    lines.push(`a += b; b = ((b << ${by}u) | (b >> ${32 - by}u)) ^ a;`)
    if (round % 4 === 3) {
      const injection = (round + 1) / 4
      lines.push(`a += k${injection % 3}; b += k${(injection + 1) % 3} + ${injection}u;`)
    }
  }
  return lines.join('\n  ')
}

/**
 * Word 0 of Threefry-2x32 with 20 rounds, key (k0, k1), counter (c, 0): the bits of every backend. Salmon, Moraes, Dror
 * and Shaw, "Parallel random numbers: as easy as 1, 2, 3" (2011).
 */
export const randomSnippets: Snippets = {
  threefry: {
    text: `fn threefry(k0: u32, k1: u32, c: u32) -> u32 {
  let k2 = k0 ^ k1 ^ 0x1bd11bdau;
  var a = c + k0;
  var b = k1;
  ${rounds()}
  return a;
}`,
  },
}
