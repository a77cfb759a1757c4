import { type ReactElement, useState } from 'react'
import { formatBytes, plural } from '../../common/format.ts'
import { useConsole } from '../shell/context.tsx'
import { Dialog } from '../shell/dialog.tsx'
import { planUploads } from './plan.ts'

/** Names what was dropped before it is sent: a title's name cannot be changed later. */
export function UploadDialog({ files, onClose }: { files: readonly File[]; onClose: () => void }): ReactElement {
  const { uploads } = useConsole()
  const plan = planUploads(files)
  const [names, setNames] = useState<readonly string[]>(plan.uploads.map(({ name }) => name))
  const count = plan.uploads.length
  const start = (): void => {
    uploads.add(plan.uploads.map((upload, index) => ({ ...upload, name: names[index]?.trim() || upload.name })))
    onClose()
  }
  return (
    <Dialog heading={count === 0 ? 'Captions need a film' : `Upload ${plural(count, 'film')}`} onClose={onClose}>
      <form
        className="dialog-form"
        onSubmit={(event) => {
          event.preventDefault()
          start()
        }}
      >
        {plan.uploads.map(({ film, captions }, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the list does not change while the dialog is open
          <label className="field-block" key={index}>
            Name
            <input
              type="text"
              required
              maxLength={200}
              value={names[index] ?? ''}
              data-testid="upload-name"
              onChange={(event) => {
                const name = event.currentTarget.value
                setNames((before) => before.map((known, at) => (at === index ? name : known)))
              }}
            />
            <small>
              {film.name}, {formatBytes(film.size)}
              {captions.length === 0 ? '' : `, captions: ${captions.map(({ label }) => label).join(', ')}`}
            </small>
          </label>
        ))}
        {plan.orphans.length === 0 ? null : (
          <p className="form-problem">
            {plan.orphans.map(({ name }) => name).join(', ')}: no film of that name was dropped with{' '}
            {plan.orphans.length === 1 ? 'it' : 'them'}. Drop a film together with its captions.
          </p>
        )}
        <div className="dialog-actions">
          <button type="button" className="button" onClick={onClose}>
            Cancel
          </button>
          {count === 0 ? null : (
            <button type="submit" className="button button-primary" data-testid="upload-start">
              Upload
            </button>
          )}
        </div>
      </form>
    </Dialog>
  )
}
