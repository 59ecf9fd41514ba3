/**
 * A topological order of kernels under contraction: two kernels become one unless another would have to run between them.
 * The order is kept true by moving only what lies between the two (after Pearce and Kelly, 2006).
 */
export class Order {
  readonly #parent: number[]
  readonly #before: number[][]
  readonly #sequence: number[]
  readonly #position: number[]

  /** `before[i]` must run before i; where that leaves a choice, the lower number goes first. */
  constructor(before: readonly (readonly number[])[]) {
    this.#parent = before.map((_, i) => i)
    this.#before = before.map((list) => [...list])
    this.#sequence = []
    this.#position = new Array<number>(before.length).fill(-1)
    const stack: { node: number; next: number }[] = []
    const seen = new Uint8Array(before.length)
    for (let root = 0; root < before.length; root++) {
      if (seen[root]) continue
      seen[root] = 1
      stack.push({ node: root, next: 0 })
      for (let frame = stack[stack.length - 1]; frame !== undefined; frame = stack[stack.length - 1]) {
        const child = before[frame.node]?.[frame.next++]
        if (child === undefined) {
          this.#position[frame.node] = this.#sequence.push(frame.node) - 1
          stack.pop()
        } else if (!seen[child]) {
          seen[child] = 1
          stack.push({ node: child, next: 0 })
        }
      }
    }
  }

  #find(node: number): number {
    let root = node
    while (this.#parent[root] !== root) root = this.#parent[root] as number
    for (let at = node; at !== root; ) {
      const next = this.#parent[at] as number
      this.#parent[at] = root
      at = next
    }
    return root
  }

  #sorted(a: number, b: number): [number, number] {
    const p = this.#find(a)
    const q = this.#find(b)
    return (this.#position[p] as number) < (this.#position[q] as number) ? [p, q] : [q, p]
  }

  /** True when a third kernel needs one of the two and is needed by the other. */
  wouldLoop(a: number, b: number): boolean {
    const [first, last] = this.#sorted(a, b)
    if (first === last) return false
    const start = this.#position[first] as number
    const seen = new Set<number>([last])
    const stack = [last]
    for (let node = stack.pop(); node !== undefined; node = stack.pop())
      for (const raw of this.#before[node] as number[]) {
        const previous = this.#find(raw)
        if (previous === first && node !== last) return true
        if (seen.has(previous) || (this.#position[previous] as number) <= start) continue
        seen.add(previous)
        stack.push(previous)
      }
    return false
  }

  /** Makes the two one; they must not loop. */
  merge(a: number, b: number): void {
    const [first, last] = this.#sorted(a, b)
    if (first === last) return
    const start = this.#position[first] as number
    const end = this.#position[last] as number
    const later = new Set<number>([first])
    const early: number[] = []
    for (let p = start + 1; p < end; p++) {
      const node = this.#sequence[p] as number
      if (this.#parent[node] !== node) continue
      if ((this.#before[node] as number[]).some((raw) => later.has(this.#find(raw)))) later.add(node)
      else early.push(node)
    }
    this.#parent[last] = first
    const all = new Set(
      [...(this.#before[first] as number[]), ...(this.#before[last] as number[])].map((n) => this.#find(n)),
    )
    all.delete(first)
    this.#before[first] = [...all]
    // The set remembers the order in which they were met, the first one in front.
    let p = start
    for (const node of [...early, ...later]) {
      this.#sequence[p] = node
      this.#position[node] = p++
    }
    for (; p <= end; p++) this.#sequence[p] = last
  }

  /** One more thing that must run before `node`. Positions do not follow: make a new order from `before`. */
  require(node: number, previous: number): void {
    this.#before[node]?.push(previous)
  }

  /** What each must run after. */
  get before(): readonly (readonly number[])[] {
    return this.#before
  }

  /** True when `node` needs `other`, directly or not. */
  needs(node: number, other: number): boolean {
    const target = this.#find(other)
    const stack = [this.#find(node)]
    const seen = new Set<number>(stack)
    for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
      if (at === target) return true
      for (const raw of this.#before[at] as number[]) {
        const previous = this.#find(raw)
        if (seen.has(previous)) continue
        seen.add(previous)
        stack.push(previous)
      }
    }
    return false
  }
}
