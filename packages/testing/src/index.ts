export { reference } from './reference/reference.ts'
