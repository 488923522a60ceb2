//! Store on DynamoDB, Alarm on EventBridge Scheduler, AWS targets (part 4).
