import { fileURLToPath } from 'node:url'
import { column, type Mnist, type MnistDataset, type MnistFiles, writeIdx } from '@tessella/datasets'
import { bundlePage, type Listening, listen, sendFile } from '@tessella/testing/browser'
import { mnistPaths, stylePath } from './paths.ts'
import { liveStyle } from './style.ts'

/** Everything comes from this server; workers of the CPU backend are made from text. */
const policy =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self' blob:; connect-src 'self' blob:; img-src data:; style-src 'self' 'unsafe-inline'"

const imagesOf = ({ length, columns }: MnistDataset): Uint8Array =>
  writeIdx(column(columns.images.data, [length, 28, 28]))
const labelsOf = ({ columns }: MnistDataset): Uint8Array => writeIdx(columns.labels)

const filesOf = ({ train, test }: Mnist): MnistFiles<() => Uint8Array> => ({
  trainImages: () => imagesOf(train),
  trainLabels: () => labelsOf(train),
  testImages: () => imagesOf(test),
  testLabels: () => labelsOf(test),
})

export interface PageOptions {
  /** What the page trains on; a failure is shown on the page. */
  readonly data: () => Promise<Mnist>
  readonly port?: number
  /** Isolated from other origins, so that threads may share memory. Default true. */
  readonly isolated?: boolean
}

/** Builds the page and serves it to browsers on this machine. Rejects with Node's error where the port is taken. */
export async function servePage({ data, port = 0, isolated = true }: PageOptions): Promise<Listening> {
  const bundle = await bundlePage(fileURLToPath(new URL('../../page', import.meta.url)))
  const server = await listen({
    isolated,
    port,
    async answer(path, response) {
      response.setHeader('Content-Security-Policy', policy)
      response.setHeader('Cache-Control', 'no-store')
      const name = (Object.keys(mnistPaths) as (keyof MnistFiles)[]).find((key) => mnistPaths[key] === path)
      if (name !== undefined) response.end(filesOf(await data())[name]())
      else if (path === stylePath) response.setHeader('Content-Type', 'text/css').end(liveStyle)
      else await sendFile(bundle.folder, path, response)
    },
  }).catch(async (error: unknown) => {
    await bundle.remove()
    throw error
  })
  return {
    url: server.url,
    close: () => {
      server.close()
      void bundle.remove()
    },
  }
}
