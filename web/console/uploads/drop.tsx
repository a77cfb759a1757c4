import { createContext, type ReactElement, type ReactNode, useContext, useEffect, useRef, useState } from 'react'
import { Icon } from '../../common/icons.tsx'
import { UploadDialog } from './upload-dialog.tsx'

const PickContext = createContext<(() => void) | null>(null)

/** Opens the browser's choice of files. */
export function usePick(): () => void {
  const pick = useContext(PickContext)
  if (pick === null) throw new Error('usePick needs a DropZone above it')
  return pick
}

/** The whole page takes films: dropped anywhere, or chosen by the upload button. What came is then named and sent. */
export function DropZone({ children }: { children: ReactNode }): ReactElement {
  const [files, setFiles] = useState<readonly File[]>([])
  const input = useRef<HTMLInputElement>(null)
  const take = (more: readonly File[]): void => {
    if (more.length > 0) setFiles((before) => [...before, ...more])
  }
  const over = useDrop(take)
  return (
    <PickContext value={() => input.current?.click()}>
      {children}
      <input
        ref={input}
        hidden
        type="file"
        multiple
        accept="video/*,.mkv,.mov,.mp4,.webm,.srt,.vtt"
        data-testid="upload-input"
        onChange={(event) => {
          take([...(event.currentTarget.files ?? [])])
          event.currentTarget.value = ''
        }}
      />
      {over ? (
        <div className="drop-veil" aria-hidden="true">
          <div>
            <Icon name="upload" size={40} />
            Drop films, with their captions if you like
          </div>
        </div>
      ) : null}
      {files.length === 0 ? null : <UploadDialog key={files.length} files={files} onClose={() => setFiles([])} />}
    </PickContext>
  )
}

/** True while files are held over the page. */
function useDrop(onFiles: (files: readonly File[]) => void): boolean {
  const [over, setOver] = useState(false)
  const latest = useRef(onFiles)
  latest.current = onFiles
  useEffect(() => {
    const life = new AbortController()
    const on = (name: 'dragenter' | 'dragover' | 'dragleave' | 'drop', act: (event: DragEvent) => void): void =>
      window.addEventListener(name, act, { signal: life.signal })
    const hold = (event: DragEvent): void => {
      if (!event.dataTransfer?.types.includes('Files')) return
      event.preventDefault()
      setOver(true)
    }
    on('dragenter', hold)
    on('dragover', hold)
    on('dragleave', (event) => {
      // Left the window, not just one element for another.
      if (event.relatedTarget === null) setOver(false)
    })
    on('drop', (event) => {
      if (!event.dataTransfer?.types.includes('Files')) return
      event.preventDefault()
      setOver(false)
      latest.current([...event.dataTransfer.files])
    })
    return () => life.abort()
  }, [])
  return over
}
