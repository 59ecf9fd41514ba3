export { compileGraph } from './compile.ts'
export { mapLeaves } from './expr.ts'
export { printProgram } from './print.ts'
export type * from './program.ts'
