{{- define "conflictwire.check.selector" -}}
app.kubernetes.io/name: conflictwire-check
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* The pod that reads the configuration. It has no account of the chart: at the first install there is none yet. */}}
{{- define "conflictwire.check.pod" -}}
metadata:
  labels: {{- include "conflictwire.check.selector" . | nindent 4 }}
spec:
  {{- omit (include "conflictwire.pod.common" . | fromYaml) "serviceAccountName" | toYaml | nindent 2 }}
  restartPolicy: Never
  containers:
    - name: check
      image: {{ include "conflictwire.image" . }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      args: [check, --config, /etc/conflictwire/conflictwire.toml]
      env:
        - {name: STATE_DIRECTORY, value: /tmp}
      resources:
        requests: {cpu: 50m, memory: 256Mi, ephemeral-storage: 16Mi}
        limits: {memory: 256Mi, ephemeral-storage: 64Mi}
      securityContext: {{- include "conflictwire.container.security" . | nindent 8 }}
      volumeMounts:
        {{- include "conflictwire.mounts" . | nindent 8 }}
  volumes:
    - name: configuration
      configMap: {name: {{ include "conflictwire.name" . }}-check}
    {{- if and (eq .Values.ledger "kafka") .Values.kafka.secret.name }}
    - name: kafka
      secret: {secretName: {{ .Values.kafka.secret.name }}, defaultMode: 0440}
    {{- end }}
{{- end -}}
