package nats

// Field numbers of events.proto.
const (
	fieldHost = iota + 1
	fieldMTA
	fieldKind
	fieldTime
	fieldEvents
	fieldRevised
	fieldContext
)

const (
	eventID = iota + 1
	eventSeconds
	eventNanoseconds
	eventZone
	eventDigits
	eventService
	eventPID
	eventQueueID
	eventDirection
	eventStage
	eventReason
	eventCause
	eventClass
	eventClientIP
	eventClientName
	eventClientPort
	eventHelo
	eventProto
	eventUser
	eventAuthMethod
	eventSender
	eventNullSender
	eventRecipient
	eventCode
	eventEnhanced
	eventText
	eventRemoteHost
	eventRemoteIP
	eventSource
	eventLine
	eventOffset
)

const (
	revisionID = iota + 1
	revisionCause
	revisionShown
)

const (
	tallyKind = iota + 1
	tallySeconds
	tallyCount
	tallyDirection
	tallyClientIP
	tallyUser
	tallySender
	tallyNullSender
	tallyRecipient
)
