import { type ReactElement, type ReactNode, useEffect, useId, useRef } from 'react'

/** A modal dialog of the browser's own: it keeps the focus, and Escape closes it. */
export function Dialog(props: { heading: string; onClose: () => void; children: ReactNode }): ReactElement {
  const { heading, onClose, children } = props
  const dialog = useRef<HTMLDialogElement>(null)
  const headingId = useId()
  useEffect(() => {
    const element = dialog.current
    element?.showModal()
    return () => element?.close()
  }, [])
  return (
    <dialog
      ref={dialog}
      className="dialog"
      aria-labelledby={headingId}
      onCancel={(event) => {
        event.preventDefault()
        onClose()
      }}
    >
      <h2 id={headingId}>{heading}</h2>
      {children}
    </dialog>
  )
}
