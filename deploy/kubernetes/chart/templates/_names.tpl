{{/* What everything is called: the release, or the release and the chart where they differ. */}}
{{- define "conflictwire.name" -}}
{{- if contains "conflictwire" .Release.Name -}}
{{- .Release.Name | trunc 44 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-conflictwire" (.Release.Name | trunc 30 | trimSuffix "-") -}}
{{- end -}}
{{- end -}}

{{- define "conflictwire.selector" -}}
app.kubernetes.io/name: conflictwire
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "conflictwire.topics.selector" -}}
app.kubernetes.io/name: conflictwire-topics
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "conflictwire.labels" -}}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "conflictwire.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{/* The job in Prometheus: replicas of one release are one, those of another release another. */}}
{{- define "conflictwire.job" -}}
{{ .Release.Namespace }}/{{ .Release.Name }}
{{- end -}}
