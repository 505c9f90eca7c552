/// What the calls that give streams are made of; they themselves are compiled in the caller's module.
extension Pool {
    @usableFromInline
    func values<Input: Sendable, Output: Sendable>(
        _ plan: Result<StreamPlan<Input, Output>, any Error>,
        _ makeIntake: @escaping () -> StreamIntake<Input>
    ) -> ValueStream<Output> {
        ValueStream { try SequenceEngine(plan.get(), makeIntake) }
    }

    @usableFromInline
    func values<Base: AsyncSequence & Sendable, Output: Sendable>(
        _ plan: Result<StreamPlan<Base.Element, Output>, any Error>,
        of inputs: Base
    ) -> ValueStream<Output> where Base.Element: Sendable {
        ValueStream { try AsyncSequenceEngine(inputs, plan.get()) }
    }

    @usableFromInline
    func outcomes<Input: Sendable, Output: Sendable>(
        _ plan: Result<StreamPlan<Input, Output>, any Error>,
        _ makeIntake: @escaping () -> StreamIntake<Input>
    ) -> ResultStream<Output> {
        ResultStream { try SequenceEngine(plan.get(), makeIntake) }
    }

    @usableFromInline
    func outcomes<Base: AsyncSequence & Sendable, Output: Sendable>(
        _ plan: Result<StreamPlan<Base.Element, Output>, any Error>,
        of inputs: Base
    ) -> ResultStream<Output> where Base.Element: Sendable {
        ResultStream { try AsyncSequenceEngine(inputs, plan.get()) }
    }
}
