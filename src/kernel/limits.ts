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
  /** Bytes kept of the topics that may be trimmed (`signals`, `sessions`, `media`); `titles` and `assets` are kept whole. */
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
  readonly meterTagsMax: number
  /** The access log writes every request up to so many lines a second, then samples; bytes that may wait to be written. */
  readonly accessLogLinesPerSecondMax: number
  readonly accessLogBufferBytesMax: number
  /** Titles the staff's list shows, newest first. */
  readonly staffTitlesMax: number
  /** How long a withdrawal waits to be on the log before it answers that it is not yet. */
  readonly relayWaitMs: number
  readonly signalsPerBatchMax: number
  /** Memory tier of the edge cache. */
  readonly edgeCacheBytes: number
  readonly edgeObjectBytesMax: number
  /** An edge that has heard nothing from the log for this long serves nothing protected (invariant 3). */
  readonly edgeGraceMs: number
  /** A client that does not read its answer for this long is cut. */
  readonly edgeWriteTimeoutMs: number
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
  /** SIGTERM to exit; the supervisor kills what is still there then. */
  readonly drainMs: number
  readonly healthPeriodMs: number
  readonly healthTimeoutMs: number
  readonly restartBackoffMinMs: number
  readonly restartBackoffMaxMs: number
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
  meterTagsMax: 1_024,
  accessLogLinesPerSecondMax: 500,
  accessLogBufferBytesMax: 1 * MIB,
  staffTitlesMax: 10_000,
  relayWaitMs: 5_000,
  signalsPerBatchMax: 50,
  edgeCacheBytes: 256 * MIB,
  edgeObjectBytesMax: 32 * MIB,
  edgeGraceMs: 4_000,
  edgeWriteTimeoutMs: 30_000,
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
  segmentHoldMs: 20_000,
  segmentHoldsMax: 4_096,
  segmentWantedRepeatMs: 5_000,
  renditionAheadMs: 24_000,
  pathTokenTtlMs: 180_000,
  pathTokenGraceMs: 60_000,
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
  drainMs: 10_000,
  healthPeriodMs: 1_000,
  healthTimeoutMs: 10_000,
  restartBackoffMinMs: 100,
  restartBackoffMaxMs: 10_000,
}

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
    [
      limits.edgeObjectBytesMax <= limits.edgeCacheBytes,
      'edgeObjectBytesMax must not exceed edgeCacheBytes: one object must fit',
    ],
    [limits.edgeGraceMs < 5_000, 'edgeGraceMs must be below 5000: a withdrawn title stops everywhere within 5 s'],
    [
      limits.heartbeatPeriodMs * 2 < limits.pathTokenTtlMs,
      'heartbeatPeriodMs must be under half of pathTokenTtlMs: one lost heartbeat must not end a session',
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
    [limits.healthPeriodMs < limits.healthTimeoutMs, 'healthPeriodMs must be below healthTimeoutMs'],
    [limits.segmentHoldMs > 1_000, 'segmentHoldMs must be above 1000: players give up on what is refused at once'],
  ]
  return rules.flatMap(([holds, sentence]) => (holds ? [] : [sentence]))
}
