export { currentBackend, disposeBackend, memory, pace, synchronize, useBackend } from './backend.ts'
export {
  detached,
  disposeNode,
  hostLeaf,
  isSettled,
  notePending,
  readNode,
  requireDevice,
  settleAll,
  storageOf,
} from './settle.ts'
export { Storage } from './storage.ts'
export {
  asTransform,
  type Cell,
  isRecording,
  isTracing,
  type LabelSpan,
  labelled,
  readCell,
  stageCell,
  withTrace,
} from './trace.ts'
