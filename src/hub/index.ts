export {
  type ArchiveGap,
  type ArchiveLoss,
  type ArchiveRead,
  type ArchiveReader,
  type Archiver,
  type ArchiverOptions,
  createArchiveReader,
  createArchiver,
  readArchivedTo,
  readGaps,
} from './archive/index.ts'
export {
  type Bus,
  createBus,
  createDeadLetters,
  createDecoder,
  createProducers,
  createSubscriptions,
  type DeadLetters,
  type Decoder,
  findStops,
  type NewDeadLetter,
  type Producers,
  type SubscriptionDefinition,
  type Subscriptions,
  type Target,
  viewSubscriptions,
} from './bus/index.ts'
export {
  type Claim,
  type ClaimSweeper,
  type Claims,
  claimOf,
  createClaimSweeper,
  createClaims,
  isClaimRef,
} from './claims/index.ts'
export { decodeEvent, type EventOrigin, encodeEvent, toEvent, topicOf } from './event.ts'
export { INBOX_STATEMENT_INDEX, inboxStatement, isInboxRepeat } from './inbox.ts'
export { hubMigrations } from './migrations.ts'
export {
  defineHub,
  type HubModule,
  type HubSubscription,
  type LoadedHub,
  type LoadedSubscription,
  loadHubModules,
} from './module/index.ts'
export { OUTBOX_CHANNEL, OUTBOX_EVENT_BYTES_MAX, outboxStatements } from './outbox.ts'
export {
  createMatcher,
  type Matcher,
  type Pattern,
  type PatternFault,
  type PatternFaultCode,
  type PatternParsed,
  parsePattern,
} from './patterns/index.ts'
export {
  createPipe,
  type Decode,
  decodeJson,
  decodeText,
  definePipe,
  type EnrichContext,
  type OpaqueRecord,
  opaque,
  type Pipe,
  type PipeDefinition,
  type PipeEvent,
  type PipeOptions,
  type PipeRecord,
  type PipeTo,
  REDRIVE_HEADER,
} from './pipe/index.ts'
export {
  createProducer,
  createRecordAppender,
  createRecordOpener,
  type EventError,
  type NewEvent,
  type NewPayload,
  type NewRecord,
  type OpenedRecord,
  type Producer,
  type Published,
  type RecordAppender,
} from './producer/index.ts'
export { createPublisher, type Publisher } from './publisher.ts'
export {
  checkClaimed,
  compareSchemas,
  createRegistry,
  decodeRecord,
  exportSchema,
  type Incompatibility,
  parseEvent,
  platformDefinitions,
  platformRegistry,
  printSchema,
  reviewSchemas,
  type SchemaReview,
  type SchemaVerdict,
  schemaFileName,
} from './registry/index.ts'
export { createRelay, type Relay, waitUntilRelayed } from './relay.ts'
export {
  createFindEvent,
  createReplayRunner,
  createReplays,
  type DecodeReplay,
  type DeliverReplay,
  type EventFound,
  type EventSearch,
  type FindEvent,
  type PatternOf,
  type ReplayRunner,
  type ReplayRunnerOptions,
  type Replays,
} from './replay/index.ts'
export {
  type AcknowledgeCounts,
  createSpokes,
  createStreamHub,
  mayPublish,
  type Spoke,
  type Spokes,
  type StreamEnd,
  type StreamHub,
  type StreamReader,
  withSpokeSight,
} from './spokes/index.ts'
export {
  type EventContext,
  type EventHandlers,
  type EventSubscription,
  subscribe,
} from './subscribe.ts'
export {
  createFunctionTarget,
  createTopicTarget,
  createWebhookSecret,
  createWebhookTarget,
  type FunctionContext,
  type FunctionHandler,
  isAllowedAddress,
  parseWebhookSecret,
  parseWebhookUrl,
  QUEUE_HEADERS,
  signWebhook,
  verifyWebhook,
  WEBHOOK_HEADERS,
  type WebhookTargetOptions,
  type WebhookVerified,
} from './targets/index.ts'
export {
  parseTransformer,
  type TransformContext,
  type Transformed,
  type Transformer,
  type TransformerFault,
} from './transformer/index.ts'
export {
  createVersionedView,
  createView,
  defineView,
  type VersionedView,
  type View,
  type ViewDefinition,
  type ViewLag,
  type ViewSnapshots,
  type ViewSources,
} from './views/index.ts'
