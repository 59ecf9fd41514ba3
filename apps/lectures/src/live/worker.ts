import { attach, lookForGpu, lookForThreads } from './backends.ts'
import { loadMnist } from './data.ts'
import type { News, Order } from './protocol.ts'
import { trainer } from './trainer.ts'

// The page's second thread: the page stays free for the person in front of it.

/** This thread's end of the line; TypeScript's library of pages has none for workers. */
const port = globalThis as unknown as {
  postMessage(news: News): void
  onmessage: ((event: MessageEvent<Order>) => void) | null
}

const tell = (news: News): void => port.postMessage(news)
const work = trainer({ tell, attach, mnist: loadMnist })

port.onmessage = async ({ data: order }) => {
  if (order.kind === 'look') tell({ kind: 'backends', gpu: await lookForGpu(), ...lookForThreads() })
  else await work(order)
}
