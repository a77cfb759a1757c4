export type { EventError, NewEvent, NewPayload } from './new-event.ts'
export { createProducer, type Producer, type ProducerLimits, type Published } from './producer.ts'
export {
  createRecordAppender,
  createRecordOpener,
  type NewRecord,
  type OpenedRecord,
  type RecordAppender,
  type RecordLimits,
} from './records.ts'
