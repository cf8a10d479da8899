// A label set as badges.
import { Group } from '@mantine/core'
import type { ReactNode } from 'react'
import type { LabelSet } from '../api/client.ts'
import classes from './Labels.module.css'

export function Labels({ labels, hide = [] }: { labels: LabelSet; hide?: readonly string[] }): ReactNode {
  const shown = Object.entries(labels).filter(([name]) => !hide.includes(name))
  return (
    <Group gap={4}>
      {shown.map(([name, value]) => (
        <span key={name} className={classes['label']} title={`${name}="${value}"`}>
          <span className={classes['name']}>{name}=</span>
          {value}
        </span>
      ))}
    </Group>
  )
}
