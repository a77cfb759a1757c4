import { expect, test } from 'bun:test'
import { checkLimits, DEFAULT_LIMITS, type Limits } from './limits.ts'

test('the defaults hold all their relations and are positive', () => {
  expect(checkLimits(DEFAULT_LIMITS)).toEqual([])
  for (const [name, value] of Object.entries(DEFAULT_LIMITS)) {
    expect({ name, positive: value > 0 && Number.isFinite(value) }).toEqual({ name, positive: true })
  }
})

const broken: readonly (readonly [Partial<Limits>, string])[] = [
  [{ logRecordBytesMax: DEFAULT_LIMITS.frameBytesMax }, 'logRecordBytesMax'],
  [{ logBatchBytesMax: DEFAULT_LIMITS.frameBytesMax }, 'logBatchBytesMax'],
  [{ edgeObjectShareMax: 1.5 }, 'edgeObjectShareMax'],
  [{ edgeSliceBytes: DEFAULT_LIMITS.edgeCacheBytes / 2 }, 'edgeSliceBytes'],
  [{ edgeTargetBytesMax: DEFAULT_LIMITS.edgeHeadBytesMax }, 'edgeTargetBytesMax'],
  [{ edgeBodyBytesMax: DEFAULT_LIMITS.apiBodyBytesMax - 1 }, 'apiBodyBytesMax'],
  [{ edgeClientConnectionsMax: DEFAULT_LIMITS.edgeConnectionsMax + 1 }, 'edgeClientConnectionsMax'],
  [{ edgeClientsMax: DEFAULT_LIMITS.edgeConnectionsMax - 1 }, 'edgeConnectionsMax'],
  [{ edgeFetchWindowBytes: DEFAULT_LIMITS.edgeFetchPoolBytes + 1 }, 'edgeFetchWindowBytes'],
  [{ edgeOriginFailoverMs: 1_000 }, 'edgeOriginFailoverMs'],
  [{ edgeOriginExchangeMs: DEFAULT_LIMITS.edgeOriginHeadTimeoutMs - 1 }, 'edgeOriginHeadTimeoutMs'],
  [{ edgeOriginRetryMinMs: DEFAULT_LIMITS.edgeOriginRetryMaxMs + 1 }, 'edgeOriginRetryMinMs'],
  [{ edgeOriginConnectionsIdleMax: DEFAULT_LIMITS.edgeOriginConnectionsMax + 1 }, 'edgeOriginConnectionsIdleMax'],
  [{ edgeTagsMax: 1.5 }, 'edgeTagsMax'],
  [{ edgeVariantsMax: Number.POSITIVE_INFINITY }, 'edgeVariantsMax'],
  [{ edgeGraceMs: 5_000 }, 'edgeGraceMs'],
  [{ heartbeatPeriodMs: DEFAULT_LIMITS.pathTokenTtlMs / 2 }, 'heartbeatPeriodMs'],
  [{ sessionEndsPerSecondMax: 274 }, 'sessionEndsPerSecondMax'],
  [{ logGroupCommitMs: 3 }, 'logGroupCommitMs'],
  [{ restartBackoffMinMs: DEFAULT_LIMITS.restartBackoffMaxMs + 1 }, 'restartBackoffMinMs'],
  [{ healthPeriodMs: DEFAULT_LIMITS.healthTimeoutMs }, 'healthPeriodMs'],
  [{ segmentHoldMs: 1_000 }, 'segmentHoldMs'],
  [{ hubClaimGraceMs: 20 * DEFAULT_LIMITS.logAppendTimeoutMs - 1 }, 'hubClaimGraceMs'],
  [{ hubClaimSweepMs: DEFAULT_LIMITS.hubClaimGraceMs + 1 }, 'hubClaimSweepMs'],
  [{ hubClaimBytesMin: DEFAULT_LIMITS.logBatchBytesMax }, 'hubClaimBytesMin'],
  [{ hubHeadersBytesMax: 65_535 }, 'hubHeadersBytesMax'],
  [{ hubRecordBytesMax: DEFAULT_LIMITS.hubPublishBytesMax + 1 }, 'hubRecordBytesMax'],
]
test.each(broken)('%p is refused by a sentence that begins with %s', (change, name) => {
  const sentences = checkLimits({ ...DEFAULT_LIMITS, ...change })
  expect(sentences).toHaveLength(1)
  expect(sentences[0]).toStartWith(`${name} must`)
})

test('every broken relation is told at once', () => {
  expect(checkLimits({ ...DEFAULT_LIMITS, edgeGraceMs: 9_000, logGroupCommitMs: 9 })).toHaveLength(2)
})
