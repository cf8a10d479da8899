// Loading, empty and broken: the three other looks of every page.
import { Alert, Center, Loader, Stack, Text } from '@mantine/core'
import { IconAlertTriangle, IconInfoCircle } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import { ApiError } from '../api/client.ts'

export function Loading(): ReactNode {
  return (
    <Center py={60}>
      <Loader size="sm" aria-label="Loading" />
    </Center>
  )
}

export function Failed({ error, title }: { error: unknown; title?: string }): ReactNode {
  const heading =
    title ??
    (error instanceof ApiError && error.errorType !== 'connection'
      ? `Error: ${error.errorType}`
      : 'No answer')
  return (
    <Alert color="red" icon={<IconAlertTriangle size={18} />} title={heading}>
      <Text size="sm" className="wf-break" style={{ whiteSpace: 'pre-wrap' }}>
        {error instanceof Error ? error.message : String(error)}
      </Text>
    </Alert>
  )
}

export function Empty({ title, children }: { title: string; children?: ReactNode }): ReactNode {
  return (
    <Center py={50}>
      <Stack align="center" gap={6} maw={520} ta="center">
        <IconInfoCircle size={28} opacity={0.5} />
        <Text fw={600}>{title}</Text>
        {children && (
          <Text size="sm" c="dimmed">
            {children}
          </Text>
        )}
      </Stack>
    </Center>
  )
}

/** Warnings and infos that came with an answer. */
export function Notes({
  warnings,
  infos,
}: {
  warnings: readonly string[]
  infos: readonly string[]
}): ReactNode {
  return (
    <>
      {warnings.map((text) => (
        <Alert key={text} color="yellow" py={6} icon={<IconAlertTriangle size={16} />}>
          {text}
        </Alert>
      ))}
      {infos.map((text) => (
        <Alert key={text} color="blue" py={6} icon={<IconInfoCircle size={16} />}>
          {text}
        </Alert>
      ))}
    </>
  )
}
