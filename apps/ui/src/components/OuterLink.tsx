// A link that came with data of strangers: only web addresses can be followed, anything else stays text.
import { Anchor, Text } from '@mantine/core'
import type { ReactNode } from 'react'

export function OuterLink({ url, label }: { url: string; label: string }): ReactNode {
  if (!/^https?:\/\//i.test(url))
    return (
      <Text size="sm" c="dimmed" className="wf-break">
        {label}: {url}
      </Text>
    )
  return (
    <Anchor size="sm" href={url} target="_blank" rel="noreferrer">
      {label}
    </Anchor>
  )
}
