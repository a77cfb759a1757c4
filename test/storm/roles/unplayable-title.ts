import { runDefectiveRole } from '../defective-role.ts'

await runDefectiveRole('unplayable-title')
