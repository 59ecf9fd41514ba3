export { chromiumExecutable, useSwiftshader } from './swiftshader.ts'
