/**
 * Every bound in one place: queues, caches, bodies, retries, waits. Whoever waits, buffers or retries takes its bound
 * from here (or from the `limits` of tentpole.config.ts, which override these), never from a literal of its own.
 */
export type Limits = {
  /** Largest frame on an internal socket, bytes. */
  readonly frameBytesMax: number
  /** Calls a wire client may have unanswered; one more is refused with `overloaded`. */
  readonly wireInFlightMax: number
  readonly wireCallTimeoutMs: number
  /** Largest batch a log append or read carries, bytes. */
  readonly logBatchBytesMax: number
  readonly logRecordBytesMax: number
  /** How long an append waits for company before its group is written. */
  readonly logGroupCommitMs: number
  readonly logSegmentBytes: number
  readonly logAppendTimeoutMs: number
  /** Bytes kept of the topics that may be trimmed (`signals`, `sessions`, `media`, `edge`); `titles` and `assets` are kept whole. */
  readonly logRetentionBytes: number
  /** Bodies of API requests, bytes. */
  readonly apiBodyBytesMax: number
  readonly apiTimeoutMs: number
  readonly uploadBytesMax: number
  readonly captionBytesMax: number
  /** An upload that is not complete this long after its creation is removed. */
  readonly uploadKeptMs: number
  /** An upload that sends nothing for this long is cut off; it can be resumed. */
  readonly uploadIdleMs: number
  /** How long a request waits for another on the same upload to let go. */
  readonly uploadLockWaitMs: number
  readonly uploadSweepMs: number
  /** Uploads that may be open at once. */
  readonly uploadsOpenMax: number
  /** A console link works once, within this time; the browser session it opens lasts `consoleSessionMs`. */
  readonly consoleLinkMs: number
  readonly consoleSessionMs: number
  /** Live tails of events: how many, how many bytes may wait for a slow one before it is cut, sampled events a second and topic. */
  readonly tailClientsMax: number
  readonly tailBufferBytesMax: number
  readonly tailEventsPerSecondMax: number
  /** Control asks the edge what it counted this often and keeps so many answers for the console; how long it waits for one. */
  readonly metricsPeriodMs: number
  readonly metricsSamplesMax: number
  readonly metricsTimeoutMs: number
  /** What the edge counts by name: objects asked for most, tags of answers; what is beyond has one count together. */
  readonly meterObjectsMax: number
  /** Above so many requests a second, one in k is counted by object, k times. */
  readonly meterObjectsPerSecondMax: number
  readonly meterTagsMax: number
  /** The access log writes every request up to so many lines a second, then samples; bytes that may wait to be written. */
  readonly accessLogLinesPerSecondMax: number
  readonly accessLogBufferBytesMax: number
  /** Titles the staff's list shows, newest first. */
  readonly staffTitlesMax: number
  /** How long a withdrawal waits to be on the log before it answers that it is not yet. */
  readonly relayWaitMs: number
  readonly signalsPerBatchMax: number
  /** The watch page with all its files, kept in memory beside the cache. */
  readonly siteBytesMax: number
  /** Memory tier of the edge cache. */
  readonly edgeCacheBytes: number
  /** An edge that has heard nothing from the log for this long serves nothing protected (invariant 3). */
  readonly edgeGraceMs: number
  /** What the edge takes of a request: its head with all fields, how many fields, its target, its content (that of an API call is `apiBodyBytesMax`). */
  readonly edgeHeadBytesMax: number
  readonly edgeFieldsMax: number
  readonly edgeTargetBytesMax: number
  readonly edgeBodyBytesMax: number
  /** Connections at once, and those of one client (an IPv4 address, an IPv6 network of 64 bits). */
  readonly edgeConnectionsMax: number
  readonly edgeClientConnectionsMax: number
  /** Requests of one client: at once, and a second in the long run. */
  readonly edgeClientRequestsBurstMax: number
  readonly edgeClientRequestsPerSecondMax: number
  /** Clients whose connections and rate are kept count of. */
  readonly edgeClientsMax: number
  /** From the first byte of a head to its last. */
  readonly edgeHeadTimeoutMs: number
  /** A connection without a request is closed. */
  readonly edgeIdleTimeoutMs: number
  /** Content that comes, and answers that are read, at less than so many bytes in a window: the client is cut. */
  readonly edgeProgressWindowMs: number
  readonly edgeBodyBytesPerWindowMin: number
  readonly edgeAnswerBytesPerWindowMin: number
  /** Content that nobody reads is taken up to this, so that its connection can be used again; beyond, the connection is closed. */
  readonly edgeDiscardBytesMax: number
  /** What a client still sends on a connection that we closed is dropped for so long, and so much of it, before it is reset (RFC 9112, 9.6). */
  readonly edgeLingerMs: number
  readonly edgeLingerBytesMax: number
  /** A request that came by here this often goes round in circles and is refused. */
  readonly edgeVisitsMax: number
  /** Ranges of one request; more are answered with the whole (RFC 9110, 14.2). */
  readonly edgeRangesMax: number
  /** The unit in which bodies are kept in memory and evicted. */
  readonly edgeSliceBytes: number
  /** The part of `edgeCacheBytes` that one object may hold, all its slices together. */
  readonly edgeObjectShareMax: number
  /** Answers kept of one address that differ by `Vary`, and fields that a `Vary` may name. */
  readonly edgeVariantsMax: number
  readonly edgeVaryFieldsMax: number
  /** Tags kept of one answer. */
  readonly edgeTagsMax: number
  /** Purges remembered so that what was being fetched before one is not stored after it; forgotten ones void all fetches. */
  readonly edgePurgesMax: number
  /** Fetches from origins at once. */
  readonly edgeFetchesMax: number
  /** What one fetch keeps of its body for readers who are behind, and all fetches together. */
  readonly edgeFetchWindowBytes: number
  readonly edgeFetchPoolBytes: number
  /** A stored answer above this is given slice by slice, as it is read. */
  readonly edgeAnswerBytesMax: number
  /** Slices held for such readers where what is evicted meanwhile could not be fetched again. */
  readonly edgeAnswerPoolBytes: number
  /** An address whose answer could not be shared is not waited for together again for this long; how many are remembered. */
  readonly edgeFetchAloneMs: number
  readonly edgeFetchAloneKeysMax: number
  /** A range of an address whose parts could not be kept goes to the origin as it is for this long; how many are remembered. */
  readonly edgeUnsliceableMs: number
  readonly edgeUnsliceableMax: number
  /** An exchange with an origin: until the connection stands, from the request's end to the answer's head, without a byte of the body while one is wanted, in all. */
  readonly edgeOriginConnectTimeoutMs: number
  readonly edgeOriginHeadTimeoutMs: number
  readonly edgeOriginSilenceMs: number
  readonly edgeOriginExchangeMs: number
  /** What failing over may add to one request in all: the origins asked after the first share it. How many may be asked. */
  readonly edgeOriginFailoverMs: number
  readonly edgeOriginTriesMax: number
  /** Failures in a row after which an origin is down; it is tried again after the minimum, doubling up to the maximum. */
  readonly edgeOriginFailuresMax: number
  readonly edgeOriginRetryMinMs: number
  readonly edgeOriginRetryMaxMs: number
  /** Connections to one origin, and how many of them may stay open unused. */
  readonly edgeOriginConnectionsMax: number
  readonly edgeOriginConnectionsIdleMax: number
  /** Head of an origin's answer. */
  readonly edgeOriginHeadBytesMax: number
  /** How long a request for a segment still being made is held. */
  readonly segmentHoldMs: number
  readonly segmentHoldsMax: number
  /** A segment asked for again within this time is not announced as wanted again. */
  readonly segmentWantedRepeatMs: number
  /** A rendition is listed once this much of its beginning is made; the lowest always is. */
  readonly renditionAheadMs: number
  readonly pathTokenTtlMs: number
  /** A heartbeat still renews a path token that expired this recently. */
  readonly pathTokenGraceMs: number
  /** How long a new path key verifies everywhere before it signs, so that no edge meets a token it cannot know; keys that verify at once. */
  readonly pathKeyLeadMs: number
  readonly pathKeysMax: number
  /** Sessions revoked by staff that an edge and a cell remember one by one; beyond that, in a filter that forgets none and takes a few others for one. */
  readonly sessionsRevokedMax: number
  /** Sessions ended by their viewers that they remember; beyond that, the oldest is forgotten. */
  readonly sessionsEndedMax: number
  /** What a cell takes of such endings: a second, and of one viewer within the time that they matter. */
  readonly sessionEndsPerSecondMax: number
  readonly viewerSessionEndsMax: number
  readonly heartbeatPeriodMs: number
  readonly viewerTokenTtlMs: number
  /** Verified viewer tokens a cell remembers. */
  readonly viewerTokensMemoMax: number
  /** What one viewer may ask of `POST /v1/playback` and `POST /v1/signals`, each: at once, and a second in the long run. */
  readonly viewerRequestsBurstMax: number
  readonly viewerRequestsPerSecondMax: number
  /** Viewers whose request rate a cell keeps in memory; the longest unseen is forgotten. */
  readonly viewerRatesMax: number
  /** Titles on one rail of the home page. */
  readonly railTitlesMax: number
  /** Viewers whose progress a cell keeps in memory, and titles per viewer. */
  readonly progressViewersMax: number
  readonly progressTitlesPerViewerMax: number
  readonly taskLeaseMs: number
  readonly taskAttemptsMax: number
  /** A task is given up when it was begun this often and its worker was lost: seldom the film's fault, so far above `taskAttemptsMax`. */
  readonly taskLossesMax: number
  /** ffmpeg's caps. */
  readonly ffmpegCpuSeconds: number
  readonly ffmpegMemoryBytes: number
  readonly ffmpegWallMs: number
  readonly ffmpegOutputBytes: number
  readonly sourcePixelsMax: number
  readonly sourceStreamsMax: number
  readonly sourceDurationMsMax: number
  /** A topic's tail becomes an archive object when this much is there, or when its oldest record is this old; how often is looked. */
  readonly hubArchiveBytesMin: number
  readonly hubArchiveAgeMs: number
  readonly hubArchivePollMs: number
  /** Of records, compressed and verified together; one larger record is a block of its own. */
  readonly hubArchiveBlockBytes: number
  /** How long a dead archiver holds up the next. */
  readonly hubArchiveLeaseMs: number
  /** How far clocks of those who append may be apart, when records are looked for by time. */
  readonly hubSearchSkewMs: number
  /** What a search for one event reads at most. */
  readonly hubSearchRecordsMax: number
  readonly hubSearchMs: number
  /** Replays that run side by side, that are kept on record, and deliveries under way of one. */
  readonly hubReplaysRunningMax: number
  readonly hubReplaysKeptMax: number
  readonly hubReplayDeliveriesMax: number
  /** How often a replay's position is saved, and how often is looked for new ones. */
  readonly hubReplaySaveMs: number
  /** A view is written to a snapshot after so many records of its topics, or so long after the first change that is in none; one that would be larger is not. */
  readonly hubViewSnapshotEvents: number
  readonly hubViewSnapshotMs: number
  readonly hubViewSnapshotBytesMax: number
  /** Ids a view remembers to apply a repeated event once; repeats (a relay's takeover, a retried append) follow closely. */
  readonly hubViewIdsMax: number
  /** Reads that may wait for a view to have come to a position. */
  readonly hubViewWaitsMax: number
  /** How often a view's next version is looked at while it catches up with the one that is read. */
  readonly hubViewSwitchPollMs: number
  /** SIGTERM to exit; the supervisor kills what is still there then. */
  readonly drainMs: number
  readonly healthPeriodMs: number
  readonly healthTimeoutMs: number
  readonly restartBackoffMinMs: number
  readonly restartBackoffMaxMs: number
  /** Spokes, and how late another process may hear that one was changed. */
  readonly hubSpokesMax: number
  readonly hubSpokesPollMs: number
  /** Streams of deliveries to spokes: how many, what may wait to be read, how long a full one may stand still, how often it says that it lives. */
  readonly hubStreamsMax: number
  /** Of one spoke. */
  readonly hubSpokeStreamsMax: number
  /** Of one spoke: subscriptions, replays that run, payloads that are taken at once. */
  readonly hubSpokeSubscriptionsMax: number
  readonly hubSpokeReplaysMax: number
  readonly hubSpokePayloadsMax: number
  readonly hubStreamBufferBytesMax: number
  readonly hubStreamStallMs: number
  readonly hubStreamBeatMs: number
  /** Requests of the hub: events and bytes of one that is read whole, bytes of all such at once, and how long a body may send nothing. */
  readonly hubRequestEventsMax: number
  readonly hubRequestBytesMax: number
  readonly hubRequestsBytesMax: number
  readonly hubRequestIdleMs: number
  /** How long one that is read whole may take in all: it holds room that others want. */
  readonly hubRequestMs: number
  /** Webhooks: bytes read of an answer that is no success, addresses of one name tried in an attempt, the longest `Retry-After` heeded. */
  readonly hubWebhookAnswerBytesMax: number
  readonly hubWebhookAddressesMax: number
  readonly hubWebhookRetryAfterMaxMs: number
  /** Data of an event, or a record's body, above this goes into `objects`; the event carries its reference. */
  readonly hubClaimBytesMin: number
  /** An object that nothing on the log refers to is removed when it was known for so long; no claim older than half of it is put on the log. */
  readonly hubClaimGraceMs: number
  readonly hubClaimSweepMs: number
  /** Claims looked at in one sweep. */
  readonly hubClaimsPerSweepMax: number
  /** A raw record's body, and the payload of an event. */
  readonly hubRecordBytesMax: number
  /** What a payload must bring, on the average, once it may no longer be silent: whoever sends holds room. */
  readonly hubPayloadBytesPerSecondMin: number
  /** A record's key, an event's subject, id and source. */
  readonly hubKeyBytesMax: number
  /** Headers of a raw record: how many, and bytes of their names and values together. */
  readonly hubHeadersMax: number
  readonly hubHeadersBytesMax: number
  /** What one producer has under way, in calls and bytes; beyond, `hub-busy`, to be tried again after so long. */
  readonly hubPublishCallsMax: number
  readonly hubPublishBytesMax: number
  readonly hubBusyRetryMs: number
  /** What a pipe has taken from its topic and not finished: records beyond its position, and their bytes. */
  readonly hubPipeRecordsMax: number
  readonly hubPipeBytesMax: number
  /** A pipe further behind takes no more raw records: who sends them is told to wait. */
  readonly hubPipeLagRecordsMax: number
  /** Events made of one record, which is also how many are published together; and how many may wait for that. */
  readonly hubPipeEventsPerRecordMax: number
  readonly hubPipeEventsMax: number
  /** One call of a pipe's `enrich`, and how often it is tried before the record goes to quarantine. */
  readonly hubPipeEnrichTimeoutMs: number
  readonly hubPipeEnrichTriesMax: number
  /** Between two tries, of `enrich` and of the log, the tables and `objects`; those are tried without end. */
  readonly hubPipeRetryMinMs: number
  readonly hubPipeRetryMaxMs: number
  /** The bus: events that wait in memory for one subscription; beyond, it reads the log by itself until it has caught up. */
  readonly hubQueueEventsMax: number
  readonly hubQueueBytesMax: number
  /** Events of one subscription between its position and the newest it was given: beyond, it is given no more. */
  readonly hubUnsettledMax: number
  readonly hubCatchUpRecordsMax: number
  /** Positions are saved this often: what a crash may deliver again. */
  readonly hubPositionsSaveMs: number
  /** Events that failed, or wait behind one, of one subscription; with so many it is given nothing else. */
  readonly hubParkedMax: number
  /** The data of one event that went by claim check is waited for so long; then who wants it reads on by itself, and the others go on. */
  readonly hubClaimLoadMs: number
  /** Changes of parked events written in one batch. */
  readonly hubParkedWritesMax: number
  readonly hubSubscriptionsMax: number
  /** The one process that runs the bus; another takes over when it was silent for so long. */
  readonly hubBusLeaseMs: number
  /** Timeouts and parked events are looked after this often. */
  readonly hubBusSweepMs: number
  /** A target that goes on after its signal was aborted is given up after so long. */
  readonly hubAbandonMs: number
  /** A subscription whose target took an event without trying, or that could not be worked for, rests so long. */
  readonly hubRestMs: number
  /** Deliveries of one subscription that are remembered for figures and journeys. */
  readonly hubRecentDeliveriesMax: number
  readonly hubProducersMax: number
  /** Replayed events of one subscription that are not settled. */
  readonly hubReplayedMax: number
  /** Dead letters of one page; those redriven or discarded are kept for so long. */
  readonly hubDeadLettersPageMax: number
  readonly hubDeadLettersKeptMs: number
  /** Dead letters of one subscription that nobody has settled; with so many it is given nothing new. */
  readonly hubDeadLettersOpenMax: number
  /** Of `tentpole events tail`: events a second that one who follows is sent; those above are counted. */
  readonly hubTailEventsPerSecondMax: number
}

const KIB = 1024
const MIB = 1024 * KIB
const GIB = 1024 * MIB

export const DEFAULT_LIMITS: Limits = {
  frameBytesMax: 48 * MIB,
  wireInFlightMax: 16_384,
  wireCallTimeoutMs: 10_000,
  logBatchBytesMax: 4 * MIB,
  logRecordBytesMax: 41 * MIB,
  logGroupCommitMs: 2,
  logSegmentBytes: 64 * MIB,
  logAppendTimeoutMs: 10_000,
  logRetentionBytes: 2 * GIB,
  apiBodyBytesMax: 64 * KIB,
  apiTimeoutMs: 15_000,
  uploadBytesMax: 64 * GIB,
  captionBytesMax: 8 * MIB,
  uploadKeptMs: 7 * 24 * 3_600_000,
  uploadIdleMs: 30_000,
  uploadLockWaitMs: 5_000,
  uploadSweepMs: 30_000,
  uploadsOpenMax: 256,
  consoleLinkMs: 60_000,
  consoleSessionMs: 12 * 3_600_000,
  tailClientsMax: 64,
  tailBufferBytesMax: 4 * MIB,
  tailEventsPerSecondMax: 20,
  metricsPeriodMs: 5_000,
  metricsSamplesMax: 180,
  metricsTimeoutMs: 1_000,
  meterObjectsMax: 1_024,
  meterObjectsPerSecondMax: 2_000,
  meterTagsMax: 1_024,
  accessLogLinesPerSecondMax: 500,
  accessLogBufferBytesMax: 1 * MIB,
  staffTitlesMax: 10_000,
  relayWaitMs: 5_000,
  signalsPerBatchMax: 50,
  siteBytesMax: 32 * MIB,
  edgeCacheBytes: 256 * MIB,
  edgeGraceMs: 4_000,
  edgeHeadBytesMax: 16 * KIB,
  edgeFieldsMax: 100,
  edgeTargetBytesMax: 8 * KIB,
  edgeBodyBytesMax: 64 * GIB,
  edgeConnectionsMax: 16_384,
  edgeClientConnectionsMax: 512,
  edgeClientRequestsBurstMax: 4_000,
  edgeClientRequestsPerSecondMax: 1_000,
  edgeClientsMax: 65_536,
  edgeHeadTimeoutMs: 10_000,
  edgeIdleTimeoutMs: 60_000,
  edgeProgressWindowMs: 10_000,
  edgeBodyBytesPerWindowMin: 4 * KIB,
  edgeAnswerBytesPerWindowMin: 16 * KIB,
  edgeDiscardBytesMax: 256 * KIB,
  edgeLingerMs: 1_000,
  edgeLingerBytesMax: MIB,
  edgeVisitsMax: 4,
  edgeRangesMax: 8,
  edgeSliceBytes: MIB,
  edgeObjectShareMax: 0.25,
  edgeVariantsMax: 32,
  edgeVaryFieldsMax: 16,
  edgeTagsMax: 64,
  edgePurgesMax: 4_096,
  edgeFetchesMax: 10_000,
  edgeFetchWindowBytes: 8 * MIB,
  edgeFetchPoolBytes: 64 * MIB,
  edgeAnswerBytesMax: 4 * MIB,
  edgeAnswerPoolBytes: 64 * MIB,
  edgeFetchAloneMs: 10_000,
  edgeFetchAloneKeysMax: 10_000,
  edgeUnsliceableMs: 60_000,
  edgeUnsliceableMax: 10_000,
  edgeOriginConnectTimeoutMs: 1_000,
  edgeOriginHeadTimeoutMs: 15_000,
  edgeOriginSilenceMs: 10_000,
  edgeOriginExchangeMs: 3_600_000,
  edgeOriginFailoverMs: 800,
  edgeOriginTriesMax: 3,
  edgeOriginFailuresMax: 3,
  edgeOriginRetryMinMs: 250,
  edgeOriginRetryMaxMs: 10_000,
  edgeOriginConnectionsMax: 512,
  edgeOriginConnectionsIdleMax: 64,
  edgeOriginHeadBytesMax: 32 * KIB,
  segmentHoldMs: 20_000,
  segmentHoldsMax: 4_096,
  segmentWantedRepeatMs: 5_000,
  renditionAheadMs: 24_000,
  pathTokenTtlMs: 180_000,
  pathTokenGraceMs: 60_000,
  pathKeyLeadMs: 5_000,
  pathKeysMax: 16,
  sessionsRevokedMax: 65_536,
  sessionsEndedMax: 65_536,
  sessionEndsPerSecondMax: 50,
  viewerSessionEndsMax: 60,
  heartbeatPeriodMs: 30_000,
  viewerTokenTtlMs: 30 * 24 * 3_600_000,
  viewerTokensMemoMax: 131_072,
  viewerRequestsBurstMax: 60,
  viewerRequestsPerSecondMax: 10,
  viewerRatesMax: 131_072,
  railTitlesMax: 50,
  progressViewersMax: 200_000,
  progressTitlesPerViewerMax: 20,
  taskLeaseMs: 10_000,
  taskAttemptsMax: 5,
  taskLossesMax: 25,
  ffmpegCpuSeconds: 3_600,
  ffmpegMemoryBytes: 4 * GIB,
  ffmpegWallMs: 3_600_000,
  ffmpegOutputBytes: 8 * GIB,
  sourcePixelsMax: 8192 * 4320,
  sourceStreamsMax: 64,
  sourceDurationMsMax: 12 * 3_600_000,
  hubArchiveBytesMin: 16 * MIB,
  hubArchiveAgeMs: 300_000,
  hubArchivePollMs: 5_000,
  hubArchiveBlockBytes: MIB,
  hubArchiveLeaseMs: 10_000,
  hubSearchSkewMs: 60_000,
  hubSearchRecordsMax: 1_000_000,
  hubSearchMs: 10_000,
  hubReplaysRunningMax: 16,
  hubReplaysKeptMax: 1_000,
  hubReplayDeliveriesMax: 64,
  hubReplaySaveMs: 1_000,
  hubViewSnapshotEvents: 10_000,
  hubViewSnapshotMs: 60_000,
  hubViewSnapshotBytesMax: 256 * MIB,
  hubViewIdsMax: 65_536,
  hubViewWaitsMax: 10_000,
  hubViewSwitchPollMs: 20,
  drainMs: 10_000,
  healthPeriodMs: 1_000,
  healthTimeoutMs: 10_000,
  restartBackoffMinMs: 100,
  restartBackoffMaxMs: 10_000,
  hubSpokesMax: 1_000,
  hubSpokesPollMs: 2_000,
  hubStreamsMax: 256,
  hubSpokeStreamsMax: 32,
  hubSpokeSubscriptionsMax: 100,
  hubSpokeReplaysMax: 1,
  hubSpokePayloadsMax: 128,
  hubStreamBufferBytesMax: MIB,
  hubStreamStallMs: 15_000,
  hubStreamBeatMs: 5_000,
  hubRequestEventsMax: 1_000,
  hubRequestBytesMax: 8 * MIB,
  hubRequestsBytesMax: 64 * MIB,
  hubRequestIdleMs: 15_000,
  hubRequestMs: 60_000,
  hubWebhookAnswerBytesMax: 4 * KIB,
  hubWebhookAddressesMax: 4,
  hubWebhookRetryAfterMaxMs: 6 * 3_600_000,
  hubClaimBytesMin: 256 * KIB,
  hubClaimGraceMs: 3_600_000,
  hubClaimSweepMs: 60_000,
  hubClaimsPerSweepMax: 1_000,
  hubRecordBytesMax: 40 * MIB,
  hubPayloadBytesPerSecondMin: 32 * KIB,
  hubKeyBytesMax: 1_024,
  hubHeadersMax: 64,
  hubHeadersBytesMax: 16 * KIB,
  hubPublishCallsMax: 1_024,
  hubPublishBytesMax: 128 * MIB,
  hubBusyRetryMs: 500,
  hubPipeRecordsMax: 8_192,
  hubPipeBytesMax: 64 * MIB,
  hubPipeLagRecordsMax: 1_000_000,
  hubPipeEventsPerRecordMax: 1_000,
  hubPipeEventsMax: 16_384,
  hubPipeEnrichTimeoutMs: 10_000,
  hubPipeEnrichTriesMax: 3,
  hubPipeRetryMinMs: 50,
  hubPipeRetryMaxMs: 5_000,
  hubQueueEventsMax: 8_192,
  hubQueueBytesMax: 16 * MIB,
  hubUnsettledMax: 65_536,
  hubCatchUpRecordsMax: 512,
  hubPositionsSaveMs: 1_000,
  hubParkedMax: 10_000,
  hubClaimLoadMs: 1_000,
  hubParkedWritesMax: 128,
  hubSubscriptionsMax: 1_000,
  hubBusLeaseMs: 1_500,
  hubBusSweepMs: 100,
  hubAbandonMs: 1_000,
  hubRestMs: 20,
  hubRecentDeliveriesMax: 1_024,
  hubProducersMax: 1_024,
  hubReplayedMax: 1_024,
  hubDeadLettersPageMax: 500,
  hubDeadLettersKeptMs: 30 * 24 * 3_600_000,
  hubDeadLettersOpenMax: 100_000,
  hubTailEventsPerSecondMax: 1_000,
}

/**
 * Memories of pure functions, by the text they were given. All of a process shares them, whichever platforms run in it, so
 * no configuration of one can set them: they change how fast an answer is, never which.
 */
export const MEMO_LIMITS = {
  /** Values of `Cache-Control`: real ones repeat, an origin has a handful of policies. Longer texts are not remembered. */
  cacheControlEntriesMax: 512,
  /** The same of fields targeted at this cache. */
  targetedEntriesMax: 128,
  fieldCharsMax: 256,
  /** Lines of the heads that one origin answers with: most of them repeat. */
  originLinesMax: 1_024,
} as const

/**
 * What an event pattern may be, and an event that patterns are asked about. The first three are EventBridge's (its quota for
 * the length, raised): a pattern that it refuses is refused here, whatever the configuration.
 */
export const PATTERN_LIMITS = {
  patternCharactersMax: 4_096,
  /** Ways through all `$or` of a pattern. */
  branchesMax: 1_000,
  /** Beginnings of wildcards that one value could be in the middle of at once (`hub/patterns/wildcard-complexity.ts`). */
  wildcardComplexityMax: 10,
  /** Objects and arrays inside one another: deeper events would match nothing, and are refused where they come in. */
  eventDepthMax: 500,
} as const

/**
 * What an input transformer may be, and what it may make. All but the last two are EventBridge's: what it refuses is refused
 * here, whatever the configuration.
 */
export const TRANSFORMER_LIMITS = {
  pathsMax: 100,
  pathCharactersMax: 256,
  templateCharactersMax: 8_192,
  /** Objects and arrays inside one another in a template. */
  templateDepthMax: 100,
  /** Of one event's input, as JSON: a template may name a large value hundreds of times. */
  outputCharactersMax: 4 * MIB,
} as const

/** How the limits must relate; each broken relation as one sentence, none when all hold. */
export function checkLimits(limits: Limits): string[] {
  const rules: readonly (readonly [boolean, string])[] = [
    [
      limits.logRecordBytesMax < limits.frameBytesMax,
      'logRecordBytesMax must be below frameBytesMax: a record travels in one frame',
    ],
    [
      limits.logBatchBytesMax < limits.frameBytesMax,
      'logBatchBytesMax must be below frameBytesMax: a batch travels in one frame',
    ],
    [limits.edgeObjectShareMax <= 1, 'edgeObjectShareMax must not exceed 1: it is a part of edgeCacheBytes'],
    [
      limits.edgeSliceBytes <= limits.edgeCacheBytes * Math.min(1, limits.edgeObjectShareMax),
      'edgeSliceBytes must not exceed the part of edgeCacheBytes that edgeObjectShareMax leaves one object: one slice must fit',
    ],
    [
      limits.edgeTargetBytesMax < limits.edgeHeadBytesMax,
      'edgeTargetBytesMax must be below edgeHeadBytesMax: the target is a part of the head',
    ],
    [
      limits.apiBodyBytesMax <= limits.edgeBodyBytesMax,
      'apiBodyBytesMax must not exceed edgeBodyBytesMax: the edge would cut what a cell takes',
    ],
    [
      limits.edgeClientConnectionsMax <= limits.edgeConnectionsMax,
      'edgeClientConnectionsMax must not exceed edgeConnectionsMax: it is the part of one client',
    ],
    [
      limits.edgeConnectionsMax <= limits.edgeClientsMax,
      'edgeConnectionsMax must not exceed edgeClientsMax: whoever is connected is kept count of',
    ],
    [
      limits.edgeFetchWindowBytes <= limits.edgeFetchPoolBytes,
      'edgeFetchWindowBytes must not exceed edgeFetchPoolBytes: all windows lie in the pool',
    ],
    [
      limits.edgeOriginFailoverMs < 1_000,
      'edgeOriginFailoverMs must be below 1000: a dead origin is left within a second',
    ],
    [
      limits.edgeOriginHeadTimeoutMs <= limits.edgeOriginExchangeMs,
      'edgeOriginHeadTimeoutMs must not exceed edgeOriginExchangeMs: it is a part of the exchange',
    ],
    [
      limits.edgeOriginRetryMinMs <= limits.edgeOriginRetryMaxMs,
      'edgeOriginRetryMinMs must not exceed edgeOriginRetryMaxMs',
    ],
    [
      limits.edgeOriginConnectionsIdleMax <= limits.edgeOriginConnectionsMax,
      'edgeOriginConnectionsIdleMax must not exceed edgeOriginConnectionsMax: they are among them',
    ],
    [limits.edgeGraceMs < 5_000, 'edgeGraceMs must be below 5000: a withdrawn title stops everywhere within 5 s'],
    [
      limits.heartbeatPeriodMs * 2 < limits.pathTokenTtlMs,
      'heartbeatPeriodMs must be under half of pathTokenTtlMs: one lost heartbeat must not end a session',
    ],
    [
      (limits.sessionEndsPerSecondMax * (limits.pathTokenTtlMs + limits.pathTokenGraceMs)) / 1_000 <=
        limits.sessionsEndedMax,
      'sessionEndsPerSecondMax must not exceed what sessionsEndedMax holds for pathTokenTtlMs and pathTokenGraceMs: until then a token could be renewed',
    ],
    [
      limits.taskLossesMax >= limits.taskAttemptsMax,
      'taskLossesMax must not be below taskAttemptsMax: a failure of its own must not be taken for a lost worker',
    ],
    [limits.logGroupCommitMs <= 2, 'logGroupCommitMs must be at most 2: press play waits for it'],
    [
      limits.restartBackoffMinMs <= limits.restartBackoffMaxMs,
      'restartBackoffMinMs must not exceed restartBackoffMaxMs',
    ],
    [
      limits.metricsTimeoutMs < limits.metricsPeriodMs,
      'metricsTimeoutMs must be below metricsPeriodMs: one answer at a time is waited for',
    ],
    [
      limits.hubRequestBytesMax <= limits.hubRequestsBytesMax,
      'hubRequestBytesMax must not exceed hubRequestsBytesMax: the largest request could never be taken',
    ],
    [
      limits.hubArchiveBlockBytes <= limits.hubArchiveBytesMin,
      'hubArchiveBlockBytes must not exceed hubArchiveBytesMin: an object is made of blocks',
    ],
    [
      limits.hubArchivePollMs < limits.hubArchiveLeaseMs,
      'hubArchivePollMs must be below hubArchiveLeaseMs: the lease is kept alive at each look',
    ],
    [
      limits.hubReplaysRunningMax <= limits.hubReplaysKeptMax,
      'hubReplaysRunningMax must not exceed hubReplaysKeptMax: what runs is on record',
    ],
    [limits.healthPeriodMs < limits.healthTimeoutMs, 'healthPeriodMs must be below healthTimeoutMs'],
    [limits.segmentHoldMs > 1_000, 'segmentHoldMs must be above 1000: players give up on what is refused at once'],
    [
      limits.hubClaimGraceMs >= 20 * limits.logAppendTimeoutMs,
      'hubClaimGraceMs must be at least 20 times logAppendTimeoutMs: what an append that is still under way refers to must not be removed',
    ],
    [
      limits.hubClaimSweepMs <= limits.hubClaimGraceMs,
      'hubClaimSweepMs must not exceed hubClaimGraceMs: a sweep counts the time since an earlier one',
    ],
    [
      limits.hubClaimBytesMin * 2 <= limits.logBatchBytesMax,
      'hubClaimBytesMin must be at most half of logBatchBytesMax: what is not put into objects fits a batch',
    ],
    [
      limits.hubHeadersBytesMax <= 48 * KIB,
      'hubHeadersBytesMax must be at most 49152: with what the hub adds, headers are counted in 16 bits',
    ],
    [
      limits.hubRecordBytesMax <= limits.hubPublishBytesMax,
      'hubRecordBytesMax must not exceed hubPublishBytesMax: one record must fit',
    ],
    [
      limits.hubQueueEventsMax <= limits.hubUnsettledMax,
      'hubQueueEventsMax must not exceed hubUnsettledMax: what waits is not settled',
    ],
    [
      limits.hubBusSweepMs * 4 <= limits.hubBusLeaseMs,
      'hubBusSweepMs must be at most a quarter of hubBusLeaseMs: the lease is beaten in time',
    ],
    [
      limits.hubPipeEventsPerRecordMax <= limits.hubPipeEventsMax,
      'hubPipeEventsPerRecordMax must not exceed hubPipeEventsMax: the events of one record must fit',
    ],
    [limits.hubPipeRetryMinMs <= limits.hubPipeRetryMaxMs, 'hubPipeRetryMinMs must not exceed hubPipeRetryMaxMs'],
  ]
  return [...findBroken(limits), ...rules.flatMap(([holds, sentence]) => (holds ? [] : [sentence]))]
}

/** Shares are parts of something, everything else is counted. */
function findBroken(limits: Limits): string[] {
  return Object.entries(limits)
    .filter(([name, value]) => !name.endsWith('ShareMax') && !Number.isSafeInteger(value))
    .map(([name, value]) => `${name} must be a whole number, got ${value}`)
}
