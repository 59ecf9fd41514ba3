export { serveSources } from './server.ts'
