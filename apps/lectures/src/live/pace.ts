/** The pace of training: it gives other tasks of its thread a turn, and waits while it is paused. */
export interface Pace {
  readonly paused: boolean
  pause(): void
  resume(): void
  /** A turn for others, and the wait; answers its seconds. `waits` is told when a wait begins and ends. */
  turn(waits?: (begins: boolean) => void): Promise<number>
}

/** The next task of this thread. A timer would wait for milliseconds, longer than a step of a small network takes. */
const nextTask = (): Promise<void> =>
  new Promise((done) => {
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = () => {
      port1.close()
      done()
    }
    port2.postMessage(undefined)
  })

export function pace(): Pace {
  let go: PromiseWithResolvers<void> | undefined
  return {
    get paused() {
      return go !== undefined
    },
    pause() {
      go ??= Promise.withResolvers()
    },
    resume() {
      go?.resolve()
      go = undefined
    },
    async turn(waits) {
      await nextTask()
      if (go === undefined) return 0
      const began = performance.now()
      waits?.(true)
      await go.promise
      waits?.(false)
      return (performance.now() - began) / 1000
    },
  }
}
