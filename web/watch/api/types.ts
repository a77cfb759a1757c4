import type { z } from 'zod'
import type {
  heartbeatResponseSchema,
  homeResponseSchema,
  playbackResponseSchema,
  sessionResponseSchema,
  signalsRequestSchema,
  titleCardSchema,
  titleResponseSchema,
} from '../../../src/contracts/index.ts'

/** The viewer API as the contracts say it; types only, so no schema code reaches the browser. */
export type Session = z.infer<typeof sessionResponseSchema>
export type Home = z.infer<typeof homeResponseSchema>
export type TitleCard = z.infer<typeof titleCardSchema>
export type Title = z.infer<typeof titleResponseSchema>
export type Playback = z.infer<typeof playbackResponseSchema>
export type Heartbeat = z.infer<typeof heartbeatResponseSchema>
export type Signal = z.infer<typeof signalsRequestSchema>['signals'][number]
