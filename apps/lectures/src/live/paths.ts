import type { MnistFiles } from '@tessella/datasets'

/** Where the page finds MNIST. */
export const mnistPaths: MnistFiles<string> = {
  trainImages: '/mnist/train-images-idx3-ubyte',
  trainLabels: '/mnist/train-labels-idx1-ubyte',
  testImages: '/mnist/t10k-images-idx3-ubyte',
  testLabels: '/mnist/t10k-labels-idx1-ubyte',
}

/** Where the page finds its look, which it shares with the report. */
export const stylePath = '/style.css'
