export { type Layout, layoutOf } from './layout.ts'
export { type Runtime, readRuntime } from './supervisor/runtime.ts'
export { createSupervisor, type Supervisor, type SupervisorOptions } from './supervisor.ts'
