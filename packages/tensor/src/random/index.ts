export { Generator } from './generator.ts'
export * from './sampling.ts'
