export { boundLetters } from './bound-letters.ts'
export { createPipe, type Pipe, type PipeLimits, type PipeOptions } from './create-pipe.ts'
export {
  type Decode,
  type DecodeContext,
  decodeJson,
  decodeText,
  type Opaque,
  type OpaqueRecord,
  opaque,
} from './decode.ts'
export { definePipe, type EnrichContext, type PipeDefinition, type PipeRecord, type PipeTo } from './define-pipe.ts'
export { REDRIVE_HEADER, toRedriveHeader } from './derive-id.ts'
export type { OpenedRecord, OpenRecord, PipeEvent, PublishEvents } from './ports.ts'
export type { RefusalCode } from './refusal.ts'
