import {
  admitsAddress,
  type PathKeys,
  type PathToken,
  type ResolvedConfig,
  signPathToken,
  titleOf,
  toTitlePrefix,
  type ViewerClaims,
  verifyPathToken,
} from '../../contracts/index.ts'
import type { Publisher } from '../../hub/index.ts'
import { type Clock, type Limits, systemClock } from '../../kernel/index.ts'
import { type ClientAddress, networkFor } from './client-network.ts'
import type { SessionIds } from './session-id.ts'
import type { PlayableTitle } from './title.ts'

export type PlaybackStarted = {
  readonly sessionId: string
  readonly manifestUrl: string
  readonly heartbeatMs: number
  readonly expiresAtMs: number
  readonly resumeMs: number
  readonly durationMs: number
}
export type PlaybackRenewed = { readonly token: string; readonly expiresAtMs: number; readonly heartbeatMs: number }

export type TitleRefusal = { readonly ok: false; readonly code: 'title-not-found'; readonly titleId: string }
export type TokenRefusal = {
  readonly ok: false
  readonly code:
    | 'token-invalid'
    | 'token-expired'
    | 'token-of-another-session'
    | 'token-of-another-network'
    | 'session-revoked'
}

export type Playback = {
  /**
   * The session is durable on the log when this resolves. Faults: those of `LogPort.append`; `client-address-missing` where
   * tokens are bound to a network and nobody says from where the viewer asks.
   */
  start(
    viewer: ViewerClaims,
    titleId: string,
    from: ClientAddress,
  ): Promise<{ readonly ok: true; readonly started: PlaybackStarted }> | TitleRefusal
  /** A new path token for one of this session's that is genuine and valid, or expired only just now, asked for from where it is good. */
  renew(
    sessionId: string,
    token: string,
    from: ClientAddress,
  ): { readonly ok: true; readonly renewed: PlaybackRenewed } | TitleRefusal | TokenRefusal
}

/** Everything is looked up in memory; the one wait of press play is for the log. */
export function createPlayback(options: {
  /** The title if viewers may see it now. */
  getListed: (titleId: string) => PlayableTitle | undefined
  resumeMs: (viewerId: string, title: { id: string; durationMs: number }) => number | null
  publisher: Publisher
  sessionIds: SessionIds
  pathKeys: () => PathKeys
  signatures: ResolvedConfig['signatures']
  cell: string
  limits: Pick<Limits, 'pathTokenTtlMs' | 'pathTokenGraceMs' | 'heartbeatPeriodMs'>
  clock?: Clock
}): Playback {
  const {
    getListed,
    resumeMs,
    publisher,
    sessionIds,
    pathKeys,
    signatures,
    cell,
    limits,
    clock = systemClock,
  } = options
  const sign = (claims: Omit<PathToken, 'keyId' | 'expiresAtS'>): { token: string; expiresAtMs: number } => {
    const expiresAtS = Math.ceil((clock.nowMs() + limits.pathTokenTtlMs) / 1000)
    const token = signPathToken(pathKeys(), { ...claims, expiresAtS })
    return { token, expiresAtMs: expiresAtS * 1000 }
  }

  return {
    start(viewer, titleId, from) {
      const title = getListed(titleId)
      if (!title?.plan) return { ok: false, code: 'title-not-found', titleId }
      const { durationMs } = title.plan
      const network = networkFor(from, signatures)
      const { sub: viewerId, country, tier, platform } = viewer
      const sessionId = sessionIds.create(viewerId)
      return publisher
        .publish(
          'tentpole.playback.started.v1',
          sessionId,
          { sessionId, viewerId, titleId, country, tier, platform, cell },
          { id: sessionId },
        )
        .then(() => {
          // Signed only now: a token's time runs from the answer, not from a wait for the log.
          const { token, expiresAtMs } = sign({ prefix: toTitlePrefix(titleId), sessionId, cell, network })
          const started: PlaybackStarted = {
            sessionId,
            manifestUrl: `/v/${token}/${titleId}/main.m3u8`,
            heartbeatMs: limits.heartbeatPeriodMs,
            expiresAtMs,
            resumeMs: resumeMs(viewerId, { id: titleId, durationMs }) ?? 0,
            durationMs,
          }
          return { ok: true, started }
        })
    },
    renew(sessionId, token, from) {
      // A player whose machine slept through a heartbeat goes on; the grace is added by asking as of a little earlier.
      const check = verifyPathToken(pathKeys(), token, clock.nowMs() - limits.pathTokenGraceMs)
      if (!check.ok) return { ok: false, code: check.code === 'expired' ? 'token-expired' : 'token-invalid' }
      const { prefix, cell: cellBefore, network } = check.token
      const titleId = titleOf(check.token)
      if (titleId === null) return { ok: false, code: 'token-invalid' }
      if (check.token.sessionId !== sessionId) return { ok: false, code: 'token-of-another-session' }
      if (!admitsAddress(check.token, from ?? '')) return { ok: false, code: 'token-of-another-network' }
      if (!getListed(titleId)) return { ok: false, code: 'title-not-found', titleId }
      return {
        ok: true,
        renewed: { ...sign({ prefix, sessionId, cell: cellBefore, network }), heartbeatMs: limits.heartbeatPeriodMs },
      }
    },
  }
}
