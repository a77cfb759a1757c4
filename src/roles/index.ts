export { type Layout, layoutOf } from './layout.ts'
export { tooManyKeys } from './supervisor/path-keyring.ts'
export {
  decideRotation,
  makePathKey,
  type PathKeyInfo,
  type PathKeysFile,
  type RotationTimes,
  rotationTimesOf,
  toFirstFile,
  toPathKeyInfos,
  toPathKeys,
} from './supervisor/path-keys.ts'
export {
  createPathKeysFile,
  readPathKeysFile,
  type WatchedPathKeys,
  watchPathKeysFile,
  writePathKeysFile,
} from './supervisor/path-keys-file.ts'
export { withPathKeysLock } from './supervisor/path-keys-lock.ts'
export { type Runtime, readRuntime } from './supervisor/runtime.ts'
export { PATH_KEY_CALLS } from './supervisor/serve-path-keys.ts'
export { createSupervisor, type Supervisor, type SupervisorOptions } from './supervisor.ts'
