import type { ReactElement, ReactNode } from 'react'
import { Mark } from '../../common/icons.tsx'

type NoticeProps = { heading: string; children: ReactNode; actions?: ReactNode; 'data-testid'?: string }

/** A page that has one thing to say: nothing here yet, not found, went wrong. */
export function Notice({ heading, children, actions, ...rest }: NoticeProps): ReactElement {
  return (
    <section className="notice" {...rest}>
      <Mark size={40} />
      <h1 tabIndex={-1}>{heading}</h1>
      <p>{children}</p>
      {actions === undefined ? null : <div className="notice-actions">{actions}</div>}
    </section>
  )
}
