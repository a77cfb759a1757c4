export { type EmbeddedLog, type EmbeddedLogOptions, openEmbeddedLog } from './embedded.ts'
export type { LogAppend, LogPort, LogRecord, LogStart, LogSubscribe, LogSubscription } from './port.ts'
export { withRecordAges } from './record-ages.ts'
export type { LogDamage } from './topic.ts'
