export { decodeEvent, type EventOrigin, encodeEvent, toEvent, topicOf } from './event.ts'
export { INBOX_STATEMENT_INDEX, inboxStatement, isInboxRepeat } from './inbox.ts'
export { hubMigrations } from './migrations.ts'
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
export { createPublisher, type Publisher } from './publisher.ts'
export { createRelay, type Relay, waitUntilRelayed } from './relay.ts'
export {
  type EventContext,
  type EventHandlers,
  type EventSubscription,
  subscribe,
} from './subscribe.ts'
export { createView, defineView, type View, type ViewDefinition } from './view.ts'
export {
  parseTransformer,
  type TransformContext,
  type Transformed,
  type Transformer,
  type TransformerFault,
} from './transformer/index.ts'
