export { compileGraph } from './compile.ts'
export { printProgram } from './print.ts'
export type * from './program.ts'
