export { useSwiftshader } from './swiftshader.ts'
