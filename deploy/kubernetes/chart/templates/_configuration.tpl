{{/* conflictwire.toml. A text of JSON is one of TOML too, so toJson quotes. */}}
{{- define "conflictwire.configuration" -}}
{{- if regexMatch "(?m)^[ \t]*\\[+[ \t]*(feed|ledger|sqlite|kafka|admin|log)[ \t]*[.\\]]" .Values.config -}}
{{- fail "config: the chart writes [ledger], [sqlite], [kafka], [admin] and [log] by the values of these names; feeds belong in feeds" -}}
{{- end -}}
feeds_from = ["feeds.toml"]

[log]
format = "json"
level = {{ .Values.log.level | toJson }}

[ledger]
kind = {{ .Values.ledger | toJson }}
{{ if eq .Values.ledger "sqlite" }}
[sqlite]
keep_size = {{ .Values.sqlite.keepSize | toJson }}
{{ else }}
[kafka]
brokers = {{ .Values.kafka.brokers | toJson }}
deployment = {{ .Values.kafka.deployment | default .Release.Name | toJson }}
lanes = {{ int .Values.kafka.lanes }}

[kafka.topics]
{{- range $topic, $name := .Values.kafka.topics }}
{{ $topic }} = {{ $name | toJson }}
{{- end }}

[kafka.properties]
{{- range $property, $value := .Values.kafka.properties }}
{{- if regexMatch "password|secret|\\.pem$" $property -}}
{{- fail (printf "kafka.properties: %s is a secret, and a ConfigMap keeps none: put it in a Secret, and name that and its key in kafka.secret: {name: SECRET, properties: {%s: KEY}}" $property $property) -}}
{{- end }}
{{ $property | toJson }} = {{ $value | toString | toJson }}
{{- end }}

[kafka.secret_files]
{{- range $property, $key := .Values.kafka.secret.properties }}
{{ $property | toJson }} = {{ printf "/run/secrets/conflictwire/%s" $key | toJson }}
{{- end }}
{{ end }}
{{ .Values.config }}
{{- end -}}
