export { type Bundle, bundlePage } from './bundle.ts'
export { type Listening, type ListenOptions, listen, sendFile } from './listen.ts'
export { serveSources } from './server.ts'
