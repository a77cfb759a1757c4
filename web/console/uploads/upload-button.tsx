import type { ReactElement } from 'react'
import { Icon } from '../../common/icons.tsx'
import { usePick } from './drop.tsx'

export function UploadButton(): ReactElement {
  const pick = usePick()
  return (
    <button type="button" className="button button-primary" data-testid="upload" onClick={pick}>
      <Icon name="upload" size={18} />
      Upload a film
    </button>
  )
}
