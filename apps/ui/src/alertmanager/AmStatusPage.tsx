// Version, start time and configuration of the Alertmanager.
import { Code, Stack, Text, Title } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { ago } from '../api/format.ts'
import { Failed, Loading } from '../components/States.tsx'
import { am } from './api.ts'

interface Status {
  cluster: { status: string }
  config: { original: string }
  uptime: string
  versionInfo: Record<string, string>
}

export function AmStatusPage(): ReactNode {
  const { data, error } = useQuery({ queryKey: ['status'], queryFn: () => am<Status>('/api/v2/status') })
  if (error) return <Failed error={error} />
  if (!data) return <Loading />
  return (
    <Stack>
      <Title order={1} size="h3">
        Status
      </Title>
      <Text>
        Version {data.versionInfo['version']}, started {ago(data.uptime)}, cluster {data.cluster.status}
      </Text>
      <Code block>{data.config.original}</Code>
    </Stack>
  )
}
