/** Channels that go through the transforms together: a line of the cache. */
export const groupChannels = 16
export const groupBytes = 4 * groupChannels

/** Channels in memory whose lanes are channels: eight at a time. */
export const paddedChannels = (channels: number): number => 8 * Math.ceil(channels / 8)

/** Whole groups, and what is left of the channels. */
export function groupsOf(channels: number): { readonly count: number; readonly channels: number }[] {
  const rest = channels % groupChannels
  const groups = [
    { count: Math.floor(channels / groupChannels), channels: groupChannels },
    { count: rest > 0 ? 1 : 0, channels: rest },
  ]
  return groups.filter((g) => g.count > 0)
}
