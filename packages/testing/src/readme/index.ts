export { describeReadme } from './describeReadme.ts'
