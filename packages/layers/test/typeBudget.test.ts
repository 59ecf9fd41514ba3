import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { expect, it } from 'vitest'

/** LeNet, called once, with the layers that users call: the count is theirs and that of the shape types. */
const declarations = `
import type { Tensor } from '@tessella/tensor'
import { conv2d, flatten, linear, maxPool2d, relu, sequential } from '../src/index.ts'
declare const x: Tensor<[number, 1, 28, 28], 'float32'>
`
const leNet = (features: number): string => `
const model = sequential(
  conv2d(1, 6, 5), relu(), maxPool2d(2), conv2d(6, 16, 5), relu(), maxPool2d(2),
  flatten(), linear(${features}, 120), relu(), linear(120, 84), relu(), linear(84, 10),
)
export const y = model(x)
`

/** Type-checks one source file as if it lay in this folder. */
function check(source: string): { readonly instantiations: number; readonly messages: readonly string[] } {
  const file = fileURLToPath(new URL('./virtual.ts', import.meta.url))
  const config = fileURLToPath(new URL('../tsconfig.json', import.meta.url))
  const { options } = ts.parseJsonConfigFileContent(
    ts.readConfigFile(config, ts.sys.readFile).config,
    ts.sys,
    fileURLToPath(new URL('..', import.meta.url)),
  )
  const host = ts.createCompilerHost(options)
  const { getSourceFile, fileExists } = host
  host.fileExists = (name) => name === file || fileExists(name)
  host.getSourceFile = (name, version, ...rest) =>
    name === file ? ts.createSourceFile(name, source, version) : getSourceFile(name, version, ...rest)
  const program = ts.createProgram([file], { ...options, noEmit: true, types: [] }, host)
  const diagnostics = program.getSemanticDiagnostics(program.getSourceFile(file))
  return {
    instantiations: program.getInstantiationCount(),
    messages: diagnostics.map((d) => ts.flattenDiagnosticMessageText(d.messageText, '\n')),
  }
}

it('types LeNet within the budget of instantiations', () => {
  const { instantiations, messages } = check(
    `${declarations}${leNet(256)}export const exact: Tensor<[number, 10], 'float32'> = y`,
  )
  expect(messages).toEqual([])
  expect(instantiations).toBeLessThan(60_000)
})

it('prints a message that a person can read', () => {
  const { messages } = check(declarations + leNet(400))
  expect(messages).toEqual([
    `Argument of type 'Tensor<[number, 1, 28, 28], "float32">' is not assignable to parameter of type '"linear expects 400 features, the layer before gives 256 (layer 7)"'.`,
  ])
})
