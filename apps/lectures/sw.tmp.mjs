import { useSwiftshader } from '@tessella/testing/swiftshader'
await useSwiftshader()
await import('./src/lecture.ts')
