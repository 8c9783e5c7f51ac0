{{/* The template of the job's pod. */}}
{{- define "conflictwire.topics.pod" -}}
metadata:
  labels: {{- include "conflictwire.topics.selector" . | nindent 4 }}
spec:
  {{- include "conflictwire.pod.common" . | nindent 2 }}
  restartPolicy: Never
  containers:
    - name: topics
      image: {{ include "conflictwire.image" . }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      args:
        - topics
        - apply
        - --config=/etc/conflictwire/conflictwire.toml
        - --partitions={{ int .Values.kafka.applyTopics.partitions }}
        {{- with int .Values.kafka.applyTopics.replication }}
        - --replication={{ . }}
        {{- end }}
      resources:
        requests: {cpu: 50m, memory: 256Mi, ephemeral-storage: 16Mi}
        limits: {memory: 256Mi, ephemeral-storage: 64Mi}
      securityContext: {{- include "conflictwire.container.security" . | nindent 8 }}
      volumeMounts:
        {{- include "conflictwire.mounts" . | nindent 8 }}
  volumes:
    {{- include "conflictwire.volumes" . | nindent 4 }}
{{- end -}}
