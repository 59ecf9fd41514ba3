import { type Mnist, mnistFrom } from '@tessella/datasets'
import { mnistPaths } from './paths.ts'

const restart = 'Start the command again (npx pnpm@12 start --browser), then reload this page.'

/** A file from the command that serves this page. */
async function get(path: string): Promise<Response> {
  const response = await fetch(path).catch((cause: unknown) => {
    throw new Error(`The command that serves this page does not answer. ${restart}`, { cause })
  })
  if (response.ok) return response
  const why = response.status === 500 ? await response.text() : `${path} has status ${response.status}.`
  throw new Error(`MNIST could not be loaded: ${why} ${restart}`)
}

/** MNIST, as the command serves it. */
export async function loadMnist(): Promise<Mnist> {
  const [trainImages, trainLabels, testImages, testLabels] = await Promise.all([
    get(mnistPaths.trainImages),
    get(mnistPaths.trainLabels),
    get(mnistPaths.testImages),
    get(mnistPaths.testLabels),
  ])
  return mnistFrom({ trainImages, trainLabels, testImages, testLabels })
}
