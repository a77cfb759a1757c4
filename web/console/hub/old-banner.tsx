import type { ReactElement } from 'react'
import { formatTime } from '../../common/format.ts'
import { Icon } from '../../common/icons.tsx'
import type { Polled } from '../shell/use-polled.ts'

/** Says so when the newest answer failed and an older one is still shown. */
export function OldBanner({ polled }: { polled: Polled<unknown> }): ReactElement | null {
  const { problem, value, heardAtMs } = polled
  if (problem === null || value === null) return null
  return (
    <div className="banner" role="status" data-testid="hub-stale">
      <Icon name="warning" size={18} />
      <span>
        {problem.detail} What you see is from {formatTime(heardAtMs)}.
      </span>
    </div>
  )
}
